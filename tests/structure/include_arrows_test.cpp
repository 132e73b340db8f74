#include "tests/structure/include_arrows.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string_view>

namespace halcyon::structure {
namespace {

namespace fs = std::filesystem;

// A tree in a temporary folder that lives as long as the test.
class IncludeArrows : public testing::Test {
 protected:
  IncludeArrows() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(testing::TempDir()) / ("include_arrows_" + std::string(test->name()));
    fs::remove_all(root_);
  }
  ~IncludeArrows() override { fs::remove_all(root_); }

  void write(const std::string& file, std::string_view text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }

  // All findings as text, one per line.
  std::string findings() const {
    std::string text;
    for (const Finding& finding : find_forbidden_includes(root_)) text += to_text(finding) + "\n";
    return text;
  }

  fs::path root_;
};

TEST_F(IncludeArrows, HoldInThisTree) {
  const std::vector<Finding> found = find_forbidden_includes(HALCYON_SOURCE_DIR);
  for (const Finding& finding : found) ADD_FAILURE() << to_text(finding);
  EXPECT_GT(count_checked_files(HALCYON_SOURCE_DIR), 20);
}

TEST_F(IncludeArrows, AllowWhatPointsTheRightWay) {
  write("runtime/base/shape.h", "#include <vector>\n#include <stdint.h>\n");
  write("runtime/weights.h", "#include \"runtime/base/shape.h\"\n");
  write("runtime/weights.cpp",
        "#include <nlohmann/json.hpp>\n#include \"runtime/weights.h\"\n#include <unistd.h>\n");
  write("runtime/data/mnist.cpp", "#include <zlib.h>\n#include \"runtime/weights.h\"\n");
  write("dsl/graph.h", "#include \"runtime/base/shape.h\"\n");
  write("compiler/lower/halide.h", "#include <Halide.h>\n");
  write("compiler/kernels/pool.cpp",
        "#include \"compiler/lower/halide.h\"\n#include \"dsl/graph.h\"\n");
  write("compiler/driver/main.cpp", "#include <CLI/CLI.hpp>\n#include <llvm/IR/Module.h>\n");
  EXPECT_EQ(findings(), "");
  EXPECT_EQ(count_checked_files(root_), 8);
}

TEST_F(IncludeArrows, ForbidRuntimeToUseCompilerOrDsl) {
  write("dsl/graph.h", "");
  write("compiler/ops/ops.h", "");
  write("runtime/network.cpp",
        "#include <vector>\n#include \"compiler/ops/ops.h\"\n  # include \"dsl/graph.h\"\n");
  EXPECT_EQ(
      findings(),
      "runtime/network.cpp:2: includes \"compiler/ops/ops.h\", but runtime must not use compiler\n"
      "runtime/network.cpp:3: includes \"dsl/graph.h\", but runtime must not use dsl\n");
}

TEST_F(IncludeArrows, ForbidDslToUseCompilerHalideOrRuntimeProper) {
  write("compiler/graph/text.h", "");
  write("runtime/weights.h", "");
  write(
      "dsl/graph.h",
      "#include \"compiler/graph/text.h\"\n#include <Halide.h>\n#include \"runtime/weights.h\"\n");
  EXPECT_EQ(
      findings(),
      "dsl/graph.h:1: includes \"compiler/graph/text.h\", but dsl must not use compiler/graph\n"
      "dsl/graph.h:2: includes <Halide.h>, but of all headers only compiler/lower/halide.h may\n"
      "dsl/graph.h:3: includes \"runtime/weights.h\", but dsl must not use runtime\n");
}

TEST_F(IncludeArrows, ForbidPassesToReachHalideThroughOthers) {
  write("compiler/lower/halide.h", "#include <Halide.h>\n");
  write("compiler/lower/context.h", "#include \"compiler/lower/halide.h\"\n");
  write("compiler/passes/fuse.cpp",
        "#include <HalideBuffer.h>\n#include \"compiler/lower/context.h\"\n");
  EXPECT_EQ(findings(),
            "compiler/passes/fuse.cpp:1: includes <HalideBuffer.h>, but compiler/passes must not "
            "use halide\n"
            "compiler/passes/fuse.cpp:2: compiler/passes must not reach Halide: "
            "compiler/lower/context.h -> compiler/lower/halide.h -> Halide.h\n");
}

TEST_F(IncludeArrows, KeepHalideOutOfOtherHeaders) {
  write("compiler/emit/kernel.h", "#include <Halide.h>\n");
  EXPECT_EQ(findings(),
            "compiler/emit/kernel.h:1: includes <Halide.h>, but of all headers only "
            "compiler/lower/halide.h may\n");
}

TEST_F(IncludeArrows, KeepLibrariesInTheirFolders) {
  write("runtime/picture.cpp", "#include <png.h>\n");
  write("runtime/weights.h", "#include <nlohmann/json.hpp>\n");
  write("runtime/base/file.h", "#include <unistd.h>\n");
  write("compiler/emit/library.cpp", "#include <CLI/CLI.hpp>\n#include <boost/any.hpp>\n");
  EXPECT_EQ(
      findings(),
      "compiler/emit/library.cpp:1: includes <CLI/CLI.hpp>, but compiler/emit must not use cli\n"
      "compiler/emit/library.cpp:2: includes <boost/any.hpp>, which is of no known library\n"
      "runtime/base/file.h:1: includes <unistd.h>, but runtime/base must not use posix\n"
      "runtime/picture.cpp:1: includes <png.h>, but runtime must not use png\n"
      "runtime/weights.h:1: includes <nlohmann/json.hpp>, but in runtime only sources may\n");
}

TEST_F(IncludeArrows, WantNamesFromTheRoot) {
  write("runtime/weights.h", "");
  write("runtime/weights.cpp", "#include \"weights.h\"\n");
  EXPECT_EQ(findings(),
            "runtime/weights.cpp:1: includes \"weights.h\", which is not spelt from the root "
            "of the tree\n");
}

}  // namespace
}  // namespace halcyon::structure
