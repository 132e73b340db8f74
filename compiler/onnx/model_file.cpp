#include "compiler/onnx/model_file.h"

#include <google/protobuf/io/coded_stream.h>

#include "runtime/base/error.h"
#include "runtime/file.h"

namespace halcyon::compiler {

namespace {

/// Messages within messages: a graph in an attribute of a node in a graph ... Models of real
/// networks need fewer than ten.
constexpr int kMaxDepth = 50;

}  // namespace

onnx::ModelProto parse_model(std::span<const std::byte> bytes, const std::string& source) {
  if (bytes.size() > kMaxModelBytes) {
    throw UserError(source + " has " + std::to_string(bytes.size()) +
                        " bytes, and an ONNX model at most " + std::to_string(kMaxModelBytes),
                    "store the weights beside the model, as external data");
  }
  const auto size = static_cast<int>(bytes.size());
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const uint8_t*>(bytes.data()),
                                                size);
  stream.SetTotalBytesLimit(size);
  stream.SetRecursionLimit(kMaxDepth);
  onnx::ModelProto model;
  if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
    throw UserError(source + " is no ONNX model, or a damaged one",
                    "it is a protocol buffer whose message is onnx.ModelProto");
  }
  return model;
}

onnx::ModelProto read_model(const std::filesystem::path& path) {
  return parse_model(runtime::read_file(path.string()), path.string());
}

}  // namespace halcyon::compiler
