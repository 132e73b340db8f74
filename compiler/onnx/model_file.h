#pragma once
/// ONNX model files, read as hostile input: what comes out is a message that protobuf could parse,
/// nothing more is checked here.

#include <filesystem>
#include <span>
#include <string>

#include "compiler/onnx/onnx.pb.h"

namespace halcyon::compiler {

/// No file above this size is read; protobuf cannot hold more.
inline constexpr std::uintmax_t kMaxModelBytes = 0x7fffffff;

/// Errors: SystemError for a file that cannot be read; UserError for one that is too large or is no
/// ONNX model.
onnx::ModelProto read_model(const std::filesystem::path& path);

/// The same from memory; `source` is what messages call it.
onnx::ModelProto parse_model(std::span<const std::byte> bytes, const std::string& source);

}  // namespace halcyon::compiler
