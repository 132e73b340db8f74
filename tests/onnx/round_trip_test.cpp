/// Networks that were exported come back as they were, and models of others as network files that
/// compile to the same graph.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "compiler/driver/embed_weights.h"
#include "compiler/graph/write_source.h"
#include "compiler/onnx/as_written.h"
#include "compiler/onnx/export.h"
#include "compiler/onnx/import.h"
#include "compiler/passes/rewrite.h"
#include "dsl/print.h"
#include "tests/e2e/run_program.h"
#include "tests/runtime/temporary_folder.h"
#include "tests/support/data_folder.h"
#include "tests/support/every_layer.h"
#include "tests/support/small_networks.h"

namespace halcyon::dsl::zoo {

static void PrintTo(const Entry& entry, std::ostream* out) { *out << entry.name; }

}  // namespace halcyon::dsl::zoo

namespace halcyon::compiler {
namespace {

namespace fs = std::filesystem;
using tests::data_folder;

/// The graph's text without places, which a model has none of.
std::string text_of(const dsl::Graph& graph) {
  std::ostringstream text;
  dsl::print(graph, text);
  static const std::regex kPlace(" @ \"[^\"]*\":[0-9]+");
  return std::regex_replace(text.str(), kPlace, "");
}

/// Line by line: the difference is to be read.
void expect_same_text(const std::string& found, const std::string& expected) {
  std::istringstream found_lines(found), expected_lines(expected);
  std::string found_line, expected_line;
  while (std::getline(expected_lines, expected_line)) {
    ASSERT_TRUE(std::getline(found_lines, found_line)) << "missing: " << expected_line;
    ASSERT_EQ(found_line, expected_line);
  }
  EXPECT_FALSE(std::getline(found_lines, found_line)) << found_line;
}

/// What a model keeps of a network: neither losses nor what they alone read.
dsl::Graph inference_part(dsl::Graph graph) {
  graph.losses.clear();
  remove_unneeded(graph);
  return graph;
}

class ExportedAndImported : public testing::TestWithParam<dsl::zoo::Entry> {};

TEST_P(ExportedAndImported, IsTheSameGraphWithTheSameWeights) {
  dsl::Graph graph = tests::small_network(GetParam().name).graph();
  embed_random_weights(graph, 1);
  dsl::Graph ours = as_written(inference_part(graph));
  dsl::Graph theirs = as_written(import_model(export_model(graph), {}, "model.onnx").graph);
  dsl::Graph emptied = ours;
  const runtime::WeightFile our_weights = take_weights(emptied);
  emptied = theirs;
  const runtime::WeightFile their_weights = take_weights(emptied);
  forget_values(ours);
  forget_values(theirs);
  expect_same_text(text_of(theirs), text_of(ours));
  ASSERT_EQ(their_weights.tensors.size(), our_weights.tensors.size());
  for (const runtime::WeightTensor& tensor : our_weights.tensors) {
    const runtime::WeightTensor* found = their_weights.find(tensor.name);
    ASSERT_NE(found, nullptr) << tensor.name;
    EXPECT_EQ(found->shape, tensor.shape) << tensor.name;
    EXPECT_TRUE(std::ranges::equal(found->floats(), tensor.floats())) << tensor.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, ExportedAndImported, testing::ValuesIn(dsl::zoo::kNetworks),
                         [](const auto& info) { return std::string(info.param.name); });

/// One program for all: most of the time goes into reading the headers.
TEST(ImportedModels, HaveANetworkFileThatCompilesToTheSameGraph) {
  std::vector<fs::path> models;
  for (const char* name :
       {"models/squeezenet/SqueezeNet_fp16.onnx", "models/mnist/mnist-8_cntk.onnx",
        "models/ultraface/version-RFB-320.onnx"}) {
    if (fs::exists(data_folder() / name)) models.push_back(data_folder() / name);
  }
  if (models.empty()) GTEST_SKIP() << "no trained models in " << data_folder();
  std::string sources = "#include <halcyon/dsl.h>\n#include \"dsl/print.h\"\n";
  std::string calls, expected;
  for (const fs::path& model : models) {
    dsl::Graph graph = as_written(import_file(model));
    forget_values(graph);
    const std::string text = write_source(graph);
    const std::size_t begin = text.find("\n\n");
    const std::string scope = "model" + std::to_string(&model - models.data());
    sources += "namespace " + scope + " {\nusing namespace halcyon::dsl;" +
               text.substr(begin, text.find("HALCYON_NETWORK") - begin) + "}\n";
    calls += "  halcyon::dsl::print(" + scope + "::" + std::string(graph.name.view()) +
             "().graph(), std::cout);\n";
    expected += text_of(graph);
  }
  const tests::TemporaryFolder folder;
  const std::string source = folder.file("networks.cpp"), program = folder.file("networks");
  std::ofstream(source) << sources + "int main() {\n" + calls + "}\n";
  const tests::Finished compiled = tests::run_program(
      {.words = {HALCYON_CXX, "-std=c++20", "-O0", "-DHALCYON_GENERATOR", "-I" HALCYON_SOURCE_DIR,
                 "-I" HALCYON_SOURCE_DIR "/dsl/include", source, "-o", program}});
  ASSERT_EQ(compiled.status, 0) << compiled.errors << sources;
  const tests::Finished printed = tests::run_program({.words = {program}});
  static const std::regex kPlace(" @ \"[^\"]*\":[0-9]+");
  expect_same_text(std::regex_replace(printed.output, kPlace, ""), expected);
}

}  // namespace
}  // namespace halcyon::compiler
