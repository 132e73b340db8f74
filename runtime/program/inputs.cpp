#include "runtime/program/inputs.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "runtime/base/error.h"
#include "runtime/data/npy.h"
#include "runtime/data/numbers.h"
#include "runtime/data/read_picture.h"
#include "runtime/data/resize.h"
#include "runtime/network.h"
#include "runtime/program/usage.h"
#include "runtime/tensor_table.h"
#include "runtime/weights.h"

namespace halcyon::runtime {
namespace {

/// The names of a file's tensors; of many, the first.
std::string tensor_names(const WeightFile& file) {
  constexpr std::size_t kMost = 10;
  if (file.tensors.empty()) return "nothing";
  std::string names;
  for (std::size_t i = 0; i < std::min(file.tensors.size(), kMost); ++i)
    names += (i == 0 ? "" : ", ") + quote(file.tensors[i].name);
  if (file.tensors.size() > kMost)
    names += " and " + std::to_string(file.tensors.size() - kMost) + " more";
  return names;
}

/// One behind the other; all but the batch is the same.
Tensor join(const halcyon_tensor_info& info, std::vector<Tensor> parts) {
  if (parts.size() == 1) return std::move(parts[0]);
  int64_t batch = 0;
  for (const Tensor& part : parts) batch += part.shape()[0];
  Tensor whole(shape_of(info, batch));
  auto to = whole.floats().begin();
  for (const Tensor& part : parts) to = std::ranges::copy(part.floats(), to).out;
  return whole;
}

/// One input and the options that apply to it.
class InputReader {
 public:
  InputReader(const halcyon_tensor_info& input, const InputOptions& options)
      : input_(input), options_(options), axes_(input.axes) {}

  Tensor read_picture_file(const std::string& path) const {
    const std::size_t channel_axis = axes_.find('C');
    if (axes_ != "HWC" && axes_ != "CHW")
      fail(path, "it takes no picture: it is " + shape_of_batch(input_));
    const bool channels_first = channel_axis == 0;
    const PictureShape wanted{input_.shape[channels_first ? 1 : 0],
                              input_.shape[channels_first ? 2 : 1], input_.shape[channel_axis]};
    if (wanted.channels != 1 && wanted.channels != 3) {
      fail(path, "it takes no picture: it has " + std::to_string(wanted.channels) +
                     " channels, pictures have 1 or 3");
    }
    const Picture picture = read_picture(path);
    Tensor pixels =
        to_tensor(picture, {.channels = wanted.channels, .scale = 1, .blue_first = options_.bgr});
    if (picture.height != wanted.height || picture.width != wanted.width) {
      const auto text = [](int64_t height, int64_t width) {
        return std::to_string(height) + "x" + std::to_string(width);
      };
      if (!options_.resize) {
        fail(path,
             "the picture has " + text(picture.height, picture.width) +
                 " pixels (height x width), the network takes " + text(wanted.height, wanted.width),
             "--resize makes it fit");
      }
      pixels = resize_bilinear(pixels, wanted.height, wanted.width);
    }
    if (channels_first) pixels = to_planes(pixels);
    return finish(pixels.floats(), 1, path, options_.scale.value_or(1.0f / 255));
  }

  Tensor read_array(const Tensor& array, const std::string& path) const {
    if (options_.resize || options_.bgr) {
      fail(path, std::string(options_.resize ? "--resize" : "--channels bgr") +
                     " is for pictures, not for arrays");
    }
    const std::span<const int64_t> found(array.shape().extents.data(),
                                         static_cast<std::size_t>(array.shape().rank));
    const std::span<const int64_t> sample(input_.shape, static_cast<std::size_t>(input_.rank));
    const bool has_batch = found.size() == sample.size() + 1;
    if (!std::ranges::equal(has_batch ? found.subspan(1) : found, sample)) {
      fail(path, "it is " + shape_of_batch(input_) + ", the array is " + to_string(array.shape()),
           order_hint(found, sample));
    }
    const int64_t batch = has_batch ? found[0] : 1;
    if (batch < 1 || batch > Network::kMaxBatch) {
      fail(path, "the array has a batch of " + std::to_string(batch) + ", possible are 1 to " +
                     std::to_string(Network::kMaxBatch));
    }
    return finish(array.floats(), batch, path, options_.scale.value_or(1));
  }

 private:
  [[noreturn]] void fail(const std::string& path, const std::string& text,
                         const std::string& hint = {}) const {
    throw UserError("input '" + std::string(input_.name) + "' from '" + path + "': " + text, hint);
  }

  /// Shapes: [1,H,W,C] -> [1,C,H,W]
  static Tensor to_planes(const Tensor& pixels) {
    const Shape& shape = pixels.shape();
    Tensor planes({1, shape[3], shape[1], shape[2]});
    const auto channels = static_cast<std::size_t>(shape[3]);
    const std::span<const float> from = pixels.floats();
    const std::span<float> to = planes.floats();
    const std::size_t count = from.size() / channels;
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t c = 0; c < channels; ++c) to[c * count + i] = from[i * channels + c];
    return planes;
  }

  /// A file whose axes are in the other of the two common orders.
  std::string order_hint(std::span<const int64_t> found, std::span<const int64_t> sample) const {
    if (axes_.size() < 2 || found.size() < sample.size()) return {};
    std::vector<int64_t> other(sample.begin(), sample.end());
    const bool channels_first = axes_.front() == 'C';
    std::rotate(other.begin(), channels_first ? other.begin() + 1 : other.end() - 1, other.end());
    if (!std::ranges::equal(found.last(sample.size()), other)) return {};
    return std::string("its channels come ") + (channels_first ? "last" : "first") +
           ", the network's come " + (channels_first ? "first" : "last");
  }

  Tensor finish(std::span<const float> values, int64_t batch, const std::string& path,
                float scale) const {
    const std::size_t channel_axis = axes_.find('C');
    int64_t inner = 1;  // values between two of one channel's
    for (std::size_t axis = channel_axis + 1; axis < axes_.size(); ++axis)
      inner *= input_.shape[axis];
    const int64_t channels = channel_axis == axes_.npos ? 1 : input_.shape[channel_axis];
    const auto per_channel = [&](const std::vector<float>& given, float otherwise,
                                 const char* option) {
      if (given.size() > 1 && given.size() != static_cast<std::size_t>(channels)) {
        fail(path, std::string(option) + " has " + std::to_string(given.size()) +
                       " numbers, expected one, or one for each of " + std::to_string(channels) +
                       " channels");
      }
      std::vector<float> list(static_cast<std::size_t>(channels),
                              given.empty() ? otherwise : given[0]);
      if (given.size() > 1) list = given;
      return list;
    };
    const std::vector<float> mean = per_channel(options_.mean, 0, "--mean");
    const std::vector<float> deviation = per_channel(options_.deviation, 1, "--deviation");
    Tensor samples(shape_of(input_, batch));
    const std::span<float> seen = samples.floats();
    for (std::size_t i = 0; i < seen.size(); ++i) {
      const std::size_t c =
          i / static_cast<std::size_t>(inner) % static_cast<std::size_t>(channels);
      seen[i] = (values[i] * scale - mean[c]) / deviation[c];
    }
    check_finite(seen, "input '" + std::string(input_.name) + "' from '" + path + "'");
    return samples;
  }

  const halcyon_tensor_info& input_;
  const InputOptions& options_;
  const std::string_view axes_;
};

class AllInputs {
 public:
  AllInputs(const halcyon_network& info, const InputOptions& options)
      : info_(info), options_(options), samples_(static_cast<std::size_t>(info.input_count)) {
    for (int32_t i = 0; i < info.input_count; ++i) {
      if (info.inputs[i].dtype == HALCYON_F32) continue;
      throw UserError(std::string("input '") + info.inputs[i].name +
                      "' takes whole numbers, which are not read from files");
    }
  }

  void read(const std::string& text) {
    const NamedFile file = split_name(text, info_.inputs, info_.input_count);
    std::error_code ignored;
    if (!file.unknown.empty() && !std::filesystem::exists(file.path, ignored)) {
      throw UserError("network '" + std::string(info_.name) + "' has no input " +
                          quote(file.unknown) + ", and there is no file '" + file.path + "'",
                      "the inputs are " + names_of(info_.inputs, info_.input_count));
    }
    const std::string ending = std::filesystem::path(file.path).extension().string();
    if (ending == ".safetensors") return read_tensors(file);
    if (ending != ".npy" && !is_picture_name(file.path)) {
      throw UserError("input file '" + file.path + "' has a name that says nothing of its format",
                      ".npy, .safetensors, .png and .jpg are read");
    }
    if (file.index < 0 && info_.input_count > 1) {
      throw UserError("input file '" + file.path + "' is for one input, network '" + info_.name +
                          "' has " + std::to_string(info_.input_count),
                      "write NAME=" + file.path + "; the inputs are " +
                          names_of(info_.inputs, info_.input_count));
    }
    const int32_t index = std::max(file.index, 0);
    const InputReader reader(info_.inputs[index], options_);
    append(index, ending == ".npy" ? reader.read_array(read_npy(file.path), file.path)
                                   : reader.read_picture_file(file.path));
  }

  InputValues finish() {
    InputValues all;
    for (int32_t i = 0; i < info_.input_count; ++i) {
      std::vector<Tensor>& samples = samples_[static_cast<std::size_t>(i)];
      if (samples.empty()) {
        throw UserError(std::string("no file for input '") + info_.inputs[i].name + "', which is " +
                            shape_of_batch(info_.inputs[i]),
                        std::string("--input ") + info_.inputs[i].name + "=FILE");
      }
      all.values.push_back(join(info_.inputs[i], std::move(samples)));
      const int64_t batch = all.values.back().shape()[0];
      if (i > 0 && batch != all.batch) {
        throw UserError(std::string("input '") + info_.inputs[i].name + "' has a batch of " +
                        std::to_string(batch) + ", '" + info_.inputs[0].name + "' of " +
                        std::to_string(all.batch));
      }
      all.batch = batch;
    }
    return all;
  }

 private:
  /// Every input that the file has a tensor for, or the one that is named.
  void read_tensors(const NamedFile& named) {
    const WeightFile file = read_weights(named.path);
    bool found = false;
    for (int32_t i = 0; i < info_.input_count; ++i) {
      const WeightTensor* const tensor = file.find(info_.inputs[i].name);
      if (tensor == nullptr || (named.index >= 0 && named.index != i)) continue;
      append(i, InputReader(info_.inputs[i], options_)
                    .read_array(to_tensor(*tensor, "'" + named.path + "'"), named.path));
      found = true;
    }
    if (found) return;
    throw UserError("input file '" + named.path + "' has no tensor with the name of an input",
                    "the inputs are " + names_of(info_.inputs, info_.input_count) +
                        ", the file holds " + tensor_names(file));
  }

  void append(int32_t index, Tensor more) {
    std::vector<Tensor>& samples = samples_[static_cast<std::size_t>(index)];
    int64_t batch = more.shape()[0];
    for (const Tensor& part : samples) batch += part.shape()[0];
    if (batch > Network::kMaxBatch) {
      throw UserError(std::string("input '") + info_.inputs[index].name + "' has a batch above " +
                      std::to_string(Network::kMaxBatch));
    }
    samples.push_back(std::move(more));
  }

  const halcyon_network& info_;
  const InputOptions& options_;
  std::vector<std::vector<Tensor>> samples_;  // of each input, as its files give them
};

}  // namespace

void InputOptions::add_to(CLI::App& command) {
  command
      .add_option("--input", files,
                  "FILE or INPUT=FILE: .npy, .safetensors (tensors by name), .png or .jpg; several "
                  "make a batch")
      ->required()
      ->allow_extra_args(false);
  command
      .add_option("--scale", scale,
                  "the network sees (value * scale - mean) / deviation; 1/255 for pictures, 1 for "
                  "arrays")
      ->check(number("other than 0", [](float x) { return x != 0; }));
  command.add_option("--mean", mean, "one number, or one for each channel: 0.48,0.46,0.41")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(number("", [](float) { return true; }));
  command.add_option("--deviation", deviation, "as --mean")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(number("above 0", [](float x) { return x > 0; }));
  command
      .add_option_function<std::string>(
          "--channels", [this](const std::string& text) { bgr = text == "bgr"; },
          "order in which the network takes a picture's colours: rgb or bgr")
      ->check(CLI::Validator(
          [](const std::string& text) -> std::string {
            return text == "rgb" || text == "bgr" ? "" : "'" + text + "' is neither rgb nor bgr";
          },
          "ORDER"));
  command.add_flag("--resize", resize, "stretch pictures to the network's size");
}

InputValues read_inputs(const halcyon_network& info, const InputOptions& options) {
  AllInputs all(info, options);
  for (const std::string& text : options.files) all.read(text);
  return all.finish();
}

std::string shape_of_batch(const halcyon_tensor_info& tensor) {
  return to_string(shape_of(tensor, kBatch)) +
         (tensor.axes[0] == '\0' ? "" : std::string(" (") + tensor.axes + ")");
}

NamedFile split_name(const std::string& text, const halcyon_tensor_info* tensors, int32_t count) {
  const std::size_t equals = text.find('=');
  for (int32_t i = 0; equals != text.npos && i < count; ++i)
    if (text.substr(0, equals) == tensors[i].name) return {i, text.substr(equals + 1), ""};
  const bool is_name = equals != text.npos && text.find('/') > equals;
  return {-1, text, is_name ? text.substr(0, equals) : ""};
}

std::string names_of(const halcyon_tensor_info* tensors, int32_t count) {
  std::string names;
  for (int32_t i = 0; i < count; ++i) names += (i == 0 ? "" : ", ") + quote(tensors[i].name);
  return names;
}

}  // namespace halcyon::runtime
