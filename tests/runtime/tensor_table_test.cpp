#include "runtime/tensor_table.h"

#include <gtest/gtest.h>

#include <vector>

#include "runtime/base/error.h"
#include "tests/runtime/expect_error.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;

constexpr halcyon_tensor_info kInputs[] = {{"image", HALCYON_F32, 3, {4, 3, 2}, "HWC", 24, 0},
                                           {"facts", HALCYON_F32, 1, {5}, "C", 5, 0}};
constexpr halcyon_tensor_info kTargets[] = {{"label", HALCYON_I32, 0, {}, "", 1, 3}};

halcyon_network network() {
  halcyon_network info{};
  info.name = "net";
  info.input_count = 2;
  info.inputs = kInputs;
  info.target_count = 1;
  info.targets = kTargets;
  return info;
}

TEST(TensorTable, MakesWhatItTakes) {
  const halcyon_network info = network();
  const std::vector<Tensor> inputs = make_tensors(inputs_of(info), 7);
  ASSERT_EQ(inputs.size(), 2u);
  EXPECT_EQ(to_string(inputs[0]), "f32 [7,4,3,2]");
  EXPECT_EQ(to_string(inputs[1]), "f32 [7,5]");
  EXPECT_EQ(check_tensors(info, inputs_of(info), inputs), 7);
  const std::vector<Tensor> targets = make_tensors(targets_of(info), 7);
  EXPECT_EQ(to_string(targets.at(0)), "i32 [7]");
  EXPECT_EQ(check_tensors(info, targets_of(info), targets, 7), 7);
  EXPECT_TRUE(make_tensors(outputs_of(info), 7).empty());
  EXPECT_EQ(check_tensors(info, outputs_of(info), {}, 7), 7);
}

TEST(TensorTable, NamesWhatDoesNotFit) {
  const halcyon_network info = network();
  const auto refuse = [&](const std::vector<Tensor>& inputs, const std::string& text) {
    expect_error<UserError>([&] { check_tensors(info, inputs_of(info), inputs); },
                            "network 'net': " + text);
  };
  const Tensor image({2, 4, 3, 2}), facts({2, 5});
  refuse({image}, "it has 2 inputs, the call gives 1");
  refuse({image, facts, facts}, "it has 2 inputs, the call gives 3");
  refuse({Tensor({2, 3, 4, 2}), facts},
         "input 'image' is f32 [N,4,3,2], the tensor is f32 [2,3,4,2]");
  refuse({Tensor({4, 3, 2}), facts}, "input 'image' is f32 [N,4,3,2], the tensor is f32 [4,3,2]");
  refuse({image, Tensor({2, 5}, DType::i32)},
         "input 'facts' is f32 [N,5], the tensor is i32 [2,5]");
  refuse({image, Tensor()}, "input 'facts' is f32 [N,5], the tensor is f32 [0]");
  refuse({image, Tensor({3, 5})}, "input 'facts' has a batch of 3, those before it have 2");
  expect_error<UserError>(
      [&] {
        check_tensors(info, targets_of(info), std::vector<Tensor>{Tensor({2}, DType::i32)}, 3);
      },
      "network 'net': target 'label' has a batch of 2, those before it have 3");
}

}  // namespace
}  // namespace halcyon::runtime
