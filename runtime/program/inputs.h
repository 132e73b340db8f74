#pragma once
/// The inputs of a network from files.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/abi.h"
#include "runtime/tensor.h"

namespace halcyon::runtime {

/// What the user says about inputs. A network sees (value * scale - mean) / deviation.
struct InputOptions {
  /// "FILE" or "INPUT=FILE"; several files of one input are put behind each other.
  std::vector<std::string> files;
  std::optional<float> scale;  ///< otherwise 1/255 for pictures, 1 for arrays
  std::vector<float> mean;     ///< none, one, or one for each channel
  std::vector<float> deviation;
  bool bgr = false;
  bool resize = false;

  void add_to(CLI::App& command);
};

struct InputValues {
  int64_t batch = 0;
  std::vector<Tensor> values;  ///< as network.inputs
};

/// Arrays (.npy, .safetensors) have the network's shape with or without a batch axis in front;
/// pictures (.png, .jpg) have its height and width, or are resized.
/// Errors: UserError naming the file and the input for whatever does not fit, and for values that
/// are not finite.
InputValues read_inputs(const halcyon_network& info, const InputOptions& options);

/// "[N,32,32,3] (HWC)"
std::string shape_of_batch(const halcyon_tensor_info& tensor);

/// Splits "NAME=FILE"; without a name of `tensors` in front, the whole is the file.
struct NamedFile {
  int32_t index = -1;  ///< of the tensor, or -1
  std::string path;
  std::string unknown;  ///< what stands in front of a '=' that may have been meant as a name
};
NamedFile split_name(const std::string& text, const halcyon_tensor_info* tensors, int32_t count);

/// "'image', 'mask'"
std::string names_of(const halcyon_tensor_info* tensors, int32_t count);

}  // namespace halcyon::runtime
