#include "compiler/driver/picture/dot.h"

#include <gtest/gtest.h>

#include "tests/driver/picture/networks.h"

namespace halcyon::compiler {
namespace {

TEST(Dot, IsAClusterForEachViewAndOneForEachGroup) {
  Diagram written;
  written.boxes = {{"image", "input", Kind::source, -1, false, {{"output", "[N,3]"}}},
                   {"a \"b\"", "dense, 2", Kind::dense, -1, true, {}}};
  written.edges = {{0, 1, 0, "[N,3]", ""}};
  Diagram compiled;
  compiled.boxes = {{"image", "input", Kind::source, -1, false, {}},
                    {"dense1", "dense, 2", Kind::dense, 0, false, {}},
                    {"relu1", "relu", Kind::pointwise, 0, false, {}}};
  compiled.edges = {{0, 1, 0, "[N,3]", "NC"}, {1, 2, 0, "[N,2]", ""}};
  compiled.groups = {{"kernel 1", {1, 2}, {{"kernel", "dense1+relu1"}, {"choice", "tile_n=4"}}}};
  EXPECT_EQ(
      dot_text("net", {{"before", "as written", written}, {"after", "as compiled", compiled}}),
      R"(digraph "net" {
  fontname="Helvetica" style="rounded" color="#8a94a6" fontcolor="#4a5568" nodesep=0.3 ranksep=0.45
  node [shape=box style="rounded,filled" color="#8a94a6" fontname="Helvetica" fontsize=12]
  edge [color="#6b7689" fontname="Helvetica" fontsize=10 fontcolor="#4a5568" arrowsize=0.7]
  subgraph cluster_before {
    label="as written" color=none
    before0 [label="image\ninput" fillcolor="#eef1f5" tooltip="output: [N,3]"]
    before1 [label="a \"b\"\ndense, 2" fillcolor="#e0dafa" style="rounded,filled,dashed" tooltip=""]
    before0 -> before1 [label="[N,3]"]
  }
  subgraph cluster_after {
    label="as compiled" color=none
    after0 [label="image\ninput" fillcolor="#eef1f5" tooltip=""]
    subgraph cluster_after_1 {
      label="kernel 1" color="#b8c0cc" bgcolor="#f4f6f9" fontsize=10 labeljust=l tooltip="kernel: dense1+relu1\nchoice: tile_n=4"
      after1 [label="dense1\ndense, 2" fillcolor="#e0dafa" tooltip=""]
      after2 [label="relu1\nrelu" fillcolor="#fbdcd0" tooltip=""]
    }
    after0 -> after1 [label="[N,3]\nNC"]
    after1 -> after2 [label="[N,2]"]
  }
}
)");
}

}  // namespace
}  // namespace halcyon::compiler
