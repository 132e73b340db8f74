#include "compiler/onnx/op_map.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace halcyon::compiler {
namespace {

TEST(OperatorMap, FindsEachOfItsRows) {
  for (const OperatorRow& row : operator_rows()) EXPECT_EQ(find_operator(row.name), &row);
  EXPECT_EQ(find_operator("Loop"), nullptr);
  EXPECT_EQ(find_operator(""), nullptr);
}

TEST(OperatorMap, IsWhatThePageSays) {
  std::ifstream file(HALCYON_SOURCE_DIR "/compiler/onnx/README.md");
  ASSERT_TRUE(file) << "compiler/onnx/README.md is missing";
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_NE(page.str().find(operator_table()), std::string::npos)
      << "the list in compiler/onnx/README.md is to be:\n"
      << operator_table();
}

}  // namespace
}  // namespace halcyon::compiler
