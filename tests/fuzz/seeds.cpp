/// Writes files for fuzzers to begin with: fuzz_seeds FOLDER makes FOLDER/import and
/// FOLDER/weights.

#include <filesystem>
#include <fstream>
#include <iostream>

#include "runtime/weights.h"
#include "tests/onnx/models.h"

namespace halcyon::tests {
namespace {

namespace fs = std::filesystem;

/// ONNX's own tests, as far as they are small.
constexpr const char* kBackendTests = "/usr/share/libonnx-testdata/data";
constexpr std::uintmax_t kMostBytes = 4096;

void write(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

void write_models(const fs::path& folder) {
  fs::create_directories(folder);
  write(folder / "conv", conv_model().model().SerializeAsString());
  ModelWriter shapes;
  shapes.input("x", {0, 2, 3, 4})
      .integers("zero", {0})
      .integers("rest", {-1})
      .node("Shape", {"x"}, {"extents"})
      .node("Gather", {"extents", "zero"}, {"batch"})
      .node("Concat", {"batch", "rest"}, {"flat"})
      .with("axis", 0)
      .node("Reshape", {"x", "flat"}, {"y"})
      .output("y");
  write(folder / "shapes", shapes.model().SerializeAsString());
  if (!fs::exists(kBackendTests)) return;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(kBackendTests)) {
    if (entry.path().filename() != "model.onnx" || entry.file_size() > kMostBytes) continue;
    const fs::path name = entry.path().parent_path().filename();
    fs::copy_file(entry.path(), folder / name, fs::copy_options::overwrite_existing);
  }
}

void write_weights(const fs::path& folder) {
  fs::create_directories(folder);
  const auto format = [](const runtime::WeightFile& file) {
    const std::vector<std::byte> bytes = runtime::format_weights(file);
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  runtime::WeightFile file;
  write(folder / "empty", format(file));
  file.metadata["halcyon.network"] = "small";
  file.add("conv1.weight", {2, 1, 3, 3});
  file.add("conv1.bias", {2});
  write(folder / "two", format(file));
  // As other tools write it: without hashes, of several types.
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},)"
      R"("b":{"dtype":"I64","shape":[],"data_offsets":[4,12]}})";
  std::string other(8, '\0');
  other[0] = static_cast<char>(header.size());
  write(folder / "other", other + header + std::string(12, '\1'));
}

}  // namespace
}  // namespace halcyon::tests

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: fuzz_seeds FOLDER\n";
    return 2;
  }
  halcyon::tests::write_models(std::filesystem::path(argv[1]) / "import");
  halcyon::tests::write_weights(std::filesystem::path(argv[1]) / "weights");
  return 0;
}
