#include "runtime/program/outputs.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>
#include <string_view>

#include "runtime/base/error.h"
#include "runtime/data/npy.h"
#include "runtime/data/picture.h"
#include "runtime/file.h"
#include "runtime/program/usage.h"
#include "runtime/weights.h"

namespace halcyon::runtime {
namespace {

std::string ending_of(const std::string& path) {
  return std::filesystem::path(path).extension().string();
}

/// One value for each class, as a classifier gives.
bool is_classes(const halcyon_tensor_info& output) { return output.rank == 1; }

std::span<const float> sample_of(std::span<const float> values, const halcyon_tensor_info& output,
                                 int64_t index) {
  const auto elements = static_cast<std::size_t>(output.elements);
  return values.subspan(static_cast<std::size_t>(index) * elements, elements);
}

std::vector<std::string> read_labels(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path, uint64_t{1} << 24);
  std::istringstream text(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  std::vector<std::string> labels;
  for (std::string line; std::getline(text, line);) {
    if (line.ends_with('\r')) line.pop_back();
    labels.push_back(line);
  }
  while (!labels.empty() && labels.back().empty()) labels.pop_back();
  return labels;
}

/// The classes with the largest values, largest first; what is not a number comes last.
std::vector<std::size_t> top_classes(std::span<const float> values, int64_t top) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  const auto rank = [&](std::size_t i) {
    return std::isnan(values[i]) ? -std::numeric_limits<float>::infinity() : values[i];
  };
  const std::size_t count = std::min(values.size(), static_cast<std::size_t>(top));
  std::partial_sort(
      order.begin(), order.begin() + static_cast<int64_t>(count), order.end(),
      [&](std::size_t a, std::size_t b) { return rank(a) != rank(b) ? rank(a) > rank(b) : a < b; });
  order.resize(count);
  return order;
}

void print_summary(const char* name, std::span<const float> values, const std::string& shape) {
  float least = std::numeric_limits<float>::infinity(), most = -least;
  double sum = 0;
  int64_t wrong = 0;
  for (const float value : values) {
    wrong += std::isfinite(value) ? 0 : 1;
    if (!std::isfinite(value)) continue;
    least = std::min(least, value);
    most = std::max(most, value);
    sum += value;
  }
  const int64_t finite = static_cast<int64_t>(values.size()) - wrong;
  std::printf("%s %s: least %.6g, mean %.6g, most %.6g", name, shape.c_str(),
              static_cast<double>(least), finite == 0 ? 0 : sum / static_cast<double>(finite),
              static_cast<double>(most));
  if (wrong > 0) std::printf(", not finite %lld", static_cast<long long>(wrong));
  std::printf("\n");
}

/// Values from 0 to 1 as bytes, channels last.
std::vector<uint8_t> to_bytes(std::span<const float> values, const PictureShape& shape,
                              bool channels_first) {
  std::vector<uint8_t> bytes(values.size());
  const auto channels = static_cast<std::size_t>(shape.channels);
  const std::size_t pixels = values.size() / channels;
  for (std::size_t i = 0; i < pixels; ++i) {
    for (std::size_t c = 0; c < channels; ++c) {
      const float value = values[channels_first ? c * pixels + i : i * channels + c];
      bytes[i * channels + c] =
          value > 0 ? static_cast<uint8_t>(std::lround(255 * std::min(value, 1.0f))) : uint8_t{0};
    }
  }
  return bytes;
}

/// Of an output that a picture can show; channels are 0 otherwise.
PictureShape picture_shape(const halcyon_tensor_info& output) {
  const std::string_view axes = output.axes;
  if (axes != "HWC" && axes != "CHW") return {};
  const bool channels_first = axes == "CHW";
  const PictureShape shape{output.shape[channels_first ? 1 : 0],
                           output.shape[channels_first ? 2 : 1],
                           output.shape[channels_first ? 0 : 2]};
  return shape.channels == 1 || shape.channels == 3 ? shape : PictureShape{};
}

}  // namespace

void OutputOptions::add_to(CLI::App& command) {
  command
      .add_option("--output", files,
                  "FILE or OUTPUT=FILE: .npy, .safetensors, or .png for a map of 1 or 3 channels "
                  "from 0 to 1; printed otherwise")
      ->allow_extra_args(false);
  command.add_option("--top", top, "how many classes to print")
      ->capture_default_str()
      ->check(whole_number<int64_t>(1));
  command.add_option("--labels", labels, "names of the classes, one to a line")->check(some_path());
  command.add_flag("--json", json, "print one JSON object");
}

OutputPlan::OutputPlan(const halcyon_network& info, const OutputOptions& options)
    : info_(info), options_(options) {
  std::vector<PlannedFile> planned;
  for (const std::string& text : options.files) {
    const NamedFile file = split_name(text, info.outputs, info.output_count);
    if (!file.unknown.empty()) {
      throw UserError(
          "network '" + std::string(info.name) + "' has no output " + quote(file.unknown),
          "the outputs are " + names_of(info.outputs, info.output_count) +
              "; a file whose name has a '=' is written as ./" + file.path);
    }
    const std::string ending = ending_of(file.path);
    if (ending != ".npy" && ending != ".safetensors" && ending != ".png") {
      throw UserError("output file '" + file.path + "' has a name that says nothing of its format",
                      ".npy, .safetensors and .png are written");
    }
    if (file.index < 0 && info.output_count > 1 && ending != ".safetensors") {
      throw UserError("output file '" + file.path + "' is for one output, network '" + info.name +
                          "' has " + std::to_string(info.output_count),
                      std::string("write NAME=") + file.path + ", or one .safetensors for all");
    }
    const halcyon_tensor_info& output = info.outputs[std::max(file.index, 0)];
    if (ending == ".png" && picture_shape(output).channels == 0) {
      throw UserError("output '" + std::string(output.name) + "' into '" + file.path +
                      "': a picture has one or three channels, the output is " +
                      shape_of_batch(output));
    }
    check_can_write(file.path);
    files_.push_back(file);
    planned.push_back({"--output " + text, file.path});
  }
  check_distinct(planned);
  if (options.labels.empty()) return;
  labels_ = read_labels(options.labels);
  std::string counts;
  for (int32_t i = 0; i < info.output_count; ++i) {
    if (!is_classes(info.outputs[i])) continue;
    if (info.outputs[i].elements == static_cast<int64_t>(labels_.size())) return;
    counts += (counts.empty() ? "" : ", ") + quote(info.outputs[i].name) + " has " +
              std::to_string(info.outputs[i].elements) + " classes";
  }
  throw UserError("labels '" + options.labels + "': " + std::to_string(labels_.size()) +
                  " lines, " +
                  (counts.empty() ? "the network has no classes" : "output " + counts));
}

void OutputPlan::check_batch(int64_t batch) const {
  for (const NamedFile& file : files_) {
    if (batch == 1 || ending_of(file.path) != ".png") continue;
    throw UserError(
        "output file '" + file.path + "' holds one picture, the batch is " + std::to_string(batch),
        ".npy and .safetensors hold any batch");
  }
}

std::vector<std::string> OutputPlan::files_of(int32_t output) const {
  std::vector<std::string> paths;
  for (const NamedFile& file : files_)
    if (file.index < 0 || file.index == output) paths.push_back(file.path);
  return paths;
}

void OutputPlan::write(const NamedFile& file, const OutputValues& outputs) const {
  const int32_t index = std::max(file.index, 0);
  const halcyon_tensor_info& output = info_.outputs[index];
  const Tensor& values = outputs.values[static_cast<std::size_t>(index)];
  const std::string ending = ending_of(file.path);
  if (ending == ".npy") {
    write_npy(file.path, values);
  } else if (ending == ".png") {
    const PictureShape shape = picture_shape(output);
    write_png(file.path, shape, to_bytes(values.floats(), shape, output.axes[0] == 'C'));
  } else {
    WeightFile tensors;
    for (int32_t i = 0; i < info_.output_count; ++i) {
      if (file.index >= 0 && file.index != i) continue;
      tensors.add(info_.outputs[i].name, outputs.values[static_cast<std::size_t>(i)]);
    }
    write_weights(file.path, tensors);
  }
}

void OutputPlan::deliver(const OutputValues& outputs) const {
  for (const NamedFile& file : files_) write(file, outputs);
  if (options_.json) {
    print_json(outputs);
  } else {
    print(outputs);
  }
}

void OutputPlan::print(const OutputValues& outputs) const {
  for (int32_t i = 0; i < info_.output_count; ++i) {
    const halcyon_tensor_info& output = info_.outputs[i];
    const Tensor& tensor = outputs.values[static_cast<std::size_t>(i)];
    const std::span<const float> values = tensor.floats();
    const std::string shape = to_string(tensor.shape());
    for (const std::string& path : files_of(i))
      std::printf("%s: %s %s\n", path.c_str(), output.name, shape.c_str());
    if (goes_to_file(i)) continue;
    if (!is_classes(output)) {
      print_summary(output.name, values, shape);
      continue;
    }
    const bool named = static_cast<int64_t>(labels_.size()) == output.elements;
    for (int64_t n = 0; n < outputs.batch; ++n) {
      const std::span<const float> sample = sample_of(values, output, n);
      std::printf("%s", output.name);
      if (outputs.batch > 1) {
        std::printf(", sample %s of %s", std::to_string(n + 1).c_str(),
                    std::to_string(outputs.batch).c_str());
      }
      std::printf("\n");
      for (const std::size_t k : top_classes(sample, options_.top)) {
        std::printf("%12.6g  class %zu%s%s\n", static_cast<double>(sample[k]), k, named ? "  " : "",
                    named ? labels_[k].c_str() : "");
      }
    }
  }
  std::printf("%.3f ms for a batch of %lld with %d threads\n", outputs.time_ms,
              static_cast<long long>(outputs.batch), outputs.threads);
}

void OutputPlan::print_json(const OutputValues& outputs) const {
  nlohmann::json list = nlohmann::json::array();
  for (int32_t i = 0; i < info_.output_count; ++i) {
    const halcyon_tensor_info& output = info_.outputs[i];
    const Tensor& tensor = outputs.values[static_cast<std::size_t>(i)];
    const std::span<const float> values = tensor.floats();
    nlohmann::json entry = {{"name", output.name}, {"shape", nlohmann::json::array()}};
    for (int axis = 0; axis < tensor.shape().rank; ++axis)
      entry["shape"].push_back(tensor.shape()[axis]);
    if (goes_to_file(i)) {
      entry["files"] = files_of(i);
    } else if (!is_classes(output)) {
      entry["values"] = values;
    } else {
      const bool named = static_cast<int64_t>(labels_.size()) == output.elements;
      entry["top"] = nlohmann::json::array();
      for (int64_t n = 0; n < outputs.batch; ++n) {
        const std::span<const float> sample = sample_of(values, output, n);
        nlohmann::json classes = nlohmann::json::array();
        for (const std::size_t k : top_classes(sample, options_.top)) {
          classes.push_back({{"class", k}, {"value", sample[k]}});
          if (named) classes.back()["label"] = labels_[k];
        }
        entry["top"].push_back(std::move(classes));
      }
    }
    list.push_back(std::move(entry));
  }
  const nlohmann::json document = {{"network", info_.name},
                                   {"batch", outputs.batch},
                                   {"threads", outputs.threads},
                                   {"ms", outputs.time_ms},
                                   {"outputs", list}};
  // A label may be in any encoding.
  std::printf("%s\n",
              document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

}  // namespace halcyon::runtime
