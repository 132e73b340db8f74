#include "compiler/onnx/op_map.h"

#include <algorithm>

#include "compiler/onnx/rules.h"

namespace halcyon::compiler {

namespace {

// clang-format off
constexpr OperatorRow kOperators[] = {
    {"Abs",                       1, import_unary,                        ""},
    {"Add",                       1, import_binary,                       ""},
    {"And",                       1, import_binary,                       ""},
    {"ArgMax",                    1, import_arg_extreme,                  "the position is given as a real number"},
    {"ArgMin",                    1, import_arg_extreme,                  "the position is given as a real number"},
    {"AveragePool",               1, import_average_pool,                 ""},
    {"BatchNormalization",        1, import_batch_normalization,          "no training mode, no statistics per position"},
    {"Cast",                      1, import_cast,                         "what a network computes is not rounded to bfloat16"},
    {"CastLike",                 15, import_cast,                         ""},
    {"Ceil",                      1, import_unary,                        ""},
    {"Celu",                     12, import_unary,                        ""},
    {"Clip",                      1, import_clip,                         ""},
    {"Concat",                    1, import_concat,                       ""},
    {"Constant",                  1, import_constant,                     "no strings, no sparse tensors"},
    {"ConstantOfShape",           9, import_constant_of_shape,            ""},
    {"Conv",                      1, import_conv,                         "weight and bias are constants"},
    {"ConvTranspose",             1, import_conv_transpose,               "weight and bias are constants"},
    {"DepthToSpace",              1, import_depth_to_space,               ""},
    {"Div",                       1, import_binary,                       ""},
    {"Dropout",                   1, import_dropout,                      "no training mode"},
    {"Elu",                       1, import_unary,                        ""},
    {"Equal",                     1, import_binary,                       ""},
    {"Erf",                       9, import_unary,                        ""},
    {"Exp",                       1, import_unary,                        ""},
    {"Expand",                    8, import_expand,                       "the shape is a constant"},
    {"Flatten",                   1, import_flatten,                      ""},
    {"Floor",                     1, import_unary,                        ""},
    {"Gather",                    1, import_gather,                       "the indices are constants"},
    {"Gemm",                      1, import_gemm,                         ""},
    {"GlobalAveragePool",         1, import_global_average_pool,          ""},
    {"GlobalMaxPool",             1, import_global_max_pool,              ""},
    {"Greater",                   1, import_binary,                       ""},
    {"GreaterOrEqual",           12, import_binary,                       ""},
    {"HardSigmoid",               1, import_unary,                        ""},
    {"HardSwish",                14, import_unary,                        ""},
    {"Identity",                  1, import_identity,                     ""},
    {"InstanceNormalization",     1, import_instance_normalization,       ""},
    {"LRN",                       1, import_lrn,                          ""},
    {"LayerNormalization",       17, import_layer_normalization,          ""},
    {"LeakyRelu",                 1, import_unary,                        ""},
    {"Less",                      1, import_binary,                       ""},
    {"LessOrEqual",              12, import_binary,                       ""},
    {"Log",                       1, import_unary,                        ""},
    {"LogSoftmax",                1, import_log_softmax,                  ""},
    {"LpNormalization",           1, import_lp_normalization,             ""},
    {"MatMul",                    1, import_matmul,                       "axes in front of two computed matrices are alike"},
    {"Max",                       1, import_variadic,                     ""},
    {"MaxPool",                   1, import_max_pool,                     "no indices"},
    {"Mean",                      1, import_variadic,                     ""},
    {"MeanVarianceNormalization", 9, import_mean_variance_normalization,  ""},
    {"Min",                       1, import_variadic,                     ""},
    {"Mul",                       1, import_binary,                       ""},
    {"Neg",                       1, import_unary,                        ""},
    {"Not",                       1, import_unary,                        ""},
    {"Or",                        1, import_binary,                       ""},
    {"PRelu",                     1, import_binary,                       ""},
    {"Pad",                       1, import_pad,                          "the widths are constants"},
    {"Pow",                       1, import_pow,                          ""},
    {"Range",                    11, import_range,                        "of constants"},
    {"Reciprocal",                1, import_unary,                        ""},
    {"ReduceL1",                  1, import_reduce,                       "the axes are constants"},
    {"ReduceL2",                  1, import_reduce,                       "the axes are constants"},
    {"ReduceLogSum",              1, import_reduce,                       "the axes are constants"},
    {"ReduceLogSumExp",           1, import_reduce,                       "the axes are constants"},
    {"ReduceMax",                 1, import_reduce,                       "the axes are constants"},
    {"ReduceMean",                1, import_reduce,                       "the axes are constants"},
    {"ReduceMin",                 1, import_reduce,                       "the axes are constants"},
    {"ReduceProd",                1, import_reduce,                       "of integers that are constants"},
    {"ReduceSum",                 1, import_reduce,                       "the axes are constants"},
    {"ReduceSumSquare",           1, import_reduce,                       "the axes are constants"},
    {"Relu",                      1, import_unary,                        ""},
    {"Reshape",                   1, import_reshape,                      "the shape is a constant, but for the batch"},
    {"Resize",                   10, import_resize,                       "sizes or scales are constants"},
    {"Round",                    11, import_unary,                        ""},
    {"Selu",                      1, import_unary,                        ""},
    {"Shape",                     1, import_shape,                        ""},
    {"Shrink",                    9, import_unary,                        ""},
    {"Sigmoid",                   1, import_unary,                        ""},
    {"Sign",                      9, import_unary,                        ""},
    {"Size",                      1, import_size,                         "of tensors without the batch"},
    {"Slice",                     1, import_slice,                        "the bounds are constants"},
    {"Softmax",                   1, import_softmax,                      ""},
    {"Softplus",                  1, import_unary,                        ""},
    {"Softsign",                  1, import_unary,                        ""},
    {"SpaceToDepth",              1, import_space_to_depth,               ""},
    {"Split",                     1, import_split,                        "the sizes are constants"},
    {"Sqrt",                      1, import_unary,                        ""},
    {"Squeeze",                   1, import_squeeze,                      "the axes are constants"},
    {"Sub",                       1, import_binary,                       ""},
    {"Sum",                       1, import_variadic,                     ""},
    {"Tanh",                      1, import_unary,                        ""},
    {"ThresholdedRelu",          10, import_unary,                        ""},
    {"Tile",                      1, import_tile,                         "the repeats are constants"},
    {"Transpose",                 1, import_transpose,                    ""},
    {"Unsqueeze",                 1, import_unsqueeze,                    "the axes are constants"},
    {"Upsample",                  7, import_upsample,                     "spatial axes"},
    {"Where",                     9, import_where,                        ""},
    {"Xor",                       1, import_binary,                       ""},
};
// clang-format on

static_assert(std::ranges::is_sorted(kOperators, {}, &OperatorRow::name));

}  // namespace

std::span<const OperatorRow> operator_rows() { return kOperators; }

const OperatorRow* find_operator(std::string_view name) {
  const auto* row = std::ranges::lower_bound(kOperators, name, {}, &OperatorRow::name);
  return row != std::end(kOperators) && row->name == name ? row : nullptr;
}

std::string operator_table() {
  std::string text = "| operator | since | limits |\n|---|---|---|\n";
  for (const OperatorRow& row : kOperators) {
    text += "| " + std::string(row.name) + " | " +
            std::to_string(std::max(row.since, kOldestOpset)) + " | " + std::string(row.limits) +
            " |\n";
  }
  return text;
}

}  // namespace halcyon::compiler
