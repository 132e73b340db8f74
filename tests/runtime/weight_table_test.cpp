#include "runtime/weight_table.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/base/error.h"
#include "runtime/network.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/fake_network.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;
using tests::TemporaryFolder;

const halcyon_network kFake = tests::fake_network();

WeightFile some_weights() {
  WeightFile file;
  file.add("dense.weight", Tensor({2, 3}));
  file.add("dense.bias", Tensor({2}));
  return file;
}

TEST(WeightTable, ListsParametersAndTheirState) {
  const auto names = [](const std::vector<ExpectedTensor>& list) {
    std::string text;
    for (const ExpectedTensor& tensor : list) text += tensor.name + shape_text(tensor.shape) + " ";
    return text;
  };
  EXPECT_EQ(names(expected_weights(kFake)), "dense.weight[2,3] dense.bias[2] ");
  EXPECT_EQ(names(expected_state(kFake)),
            "optimizer/0/dense.weight[2,3] optimizer/0/dense.bias[2] ");
  halcyon_parameter_info parameters[] = {kFake.parameters[0], kFake.parameters[1]};
  parameters[0].trainable = 0;
  halcyon_network frozen = kFake;
  frozen.parameters = parameters;
  EXPECT_EQ(names(expected_state(frozen)), "optimizer/0/dense.bias[2] ");
}

TEST(WeightTable, NamesWhatDoesNotFitAndLeavesTheNetworkAsItWas) {
  const TemporaryFolder folder;
  const std::string path = folder.file("w.safetensors");
  Network network(kFake, 1);
  network.initialize(0);
  const auto bits_of = [](const Network& n) { return format_weights(n.weights()); };
  const std::vector<std::byte> before = bits_of(network);
  const auto refuse = [&](const WeightFile& file, const std::string& text,
                          const std::string& hint = {}) {
    write_weights(path, file);
    expect_error<UserError>([&] { network.load(path); },
                            "weights '" + path + "' do not fit network 'fake': " + text, hint);
    EXPECT_EQ(bits_of(network), before);
  };
  WeightFile missing = some_weights();
  missing.tensors.pop_back();
  refuse(missing, "tensor 'dense.bias' [2] is missing");

  WeightFile shaped;
  shaped.add("dense.weight", {3, 2});
  shaped.add("dense.bias", {2});
  refuse(shaped, "tensor 'dense.weight' has shape [3,2], the network needs [2,3]");

  WeightFile typed = some_weights();
  typed.tensors[1] = {"dense.bias", "F16", {2}, std::vector<std::byte>(4)};
  refuse(typed, "tensor 'dense.bias' has dtype 'F16', the network needs 'F32'",
         "hint: convert the file to 32-bit floats");

  WeightFile extra = some_weights();
  extra.add("dense2.bias", {1});
  refuse(extra, "tensor 'dense2.bias' [1] is not one of the network's",
         "hint: remove it from the file, or compile the network it belongs to");

  WeightFile foreign;
  foreign.add("conv1.weight", {8, 3, 5, 5});
  foreign.metadata["halcyon.network"] = "lenet5";
  refuse(foreign, "tensor 'dense.weight' [2,3] is missing (and 2 more that do not fit)",
         "hint: the weights were saved from network 'lenet5'");

  WeightFile twice = some_weights();
  twice.add("dense.bias", {2});
  expect_error<UserError>([&] { network.set_weights(twice); }, "'dense.bias' is there twice");
  WeightFile cut = some_weights();
  cut.tensors[1].data.pop_back();
  expect_error<InternalError>([&] { network.set_weights(cut); }, "'dense.bias' is not made of");
  EXPECT_EQ(bits_of(network), before);
}

}  // namespace
}  // namespace halcyon::runtime
