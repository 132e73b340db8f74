#pragma once
/// The rules of op_map.cpp, by the file that they stand in.

namespace halcyon::compiler {

class NodeImport;

// rules_elementwise.cpp
void import_unary(NodeImport& node);
void import_binary(NodeImport& node);
void import_pow(NodeImport& node);
void import_variadic(NodeImport& node);
void import_clip(NodeImport& node);
void import_where(NodeImport& node);

// rules_conv.cpp
void import_conv(NodeImport& node);
void import_conv_transpose(NodeImport& node);

// rules_matmul.cpp
void import_gemm(NodeImport& node);
void import_matmul(NodeImport& node);

// rules_pool.cpp
void import_average_pool(NodeImport& node);
void import_global_average_pool(NodeImport& node);
void import_global_max_pool(NodeImport& node);
void import_max_pool(NodeImport& node);

// rules_norm.cpp
void import_batch_normalization(NodeImport& node);
void import_dropout(NodeImport& node);
void import_instance_normalization(NodeImport& node);
void import_layer_normalization(NodeImport& node);
void import_lp_normalization(NodeImport& node);
void import_lrn(NodeImport& node);
void import_mean_variance_normalization(NodeImport& node);

// rules_reduce.cpp
void import_arg_extreme(NodeImport& node);
void import_log_softmax(NodeImport& node);
void import_reduce(NodeImport& node);
void import_softmax(NodeImport& node);

// rules_movement.cpp
void import_concat(NodeImport& node);
void import_depth_to_space(NodeImport& node);
void import_expand(NodeImport& node);
void import_flatten(NodeImport& node);
void import_gather(NodeImport& node);
void import_pad(NodeImport& node);
void import_reshape(NodeImport& node);
void import_slice(NodeImport& node);
void import_space_to_depth(NodeImport& node);
void import_split(NodeImport& node);
void import_squeeze(NodeImport& node);
void import_tile(NodeImport& node);
void import_transpose(NodeImport& node);
void import_unsqueeze(NodeImport& node);

// rules_resize.cpp
void import_resize(NodeImport& node);
void import_upsample(NodeImport& node);

// rules_constant.cpp
void import_cast(NodeImport& node);
void import_constant(NodeImport& node);
void import_constant_of_shape(NodeImport& node);
void import_identity(NodeImport& node);
void import_range(NodeImport& node);
void import_shape(NodeImport& node);
void import_size(NodeImport& node);

}  // namespace halcyon::compiler
