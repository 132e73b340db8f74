#include "runtime/evaluator.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <string>
#include <string_view>

#include "runtime/base/error.h"

namespace halcyon::runtime {
namespace {

std::string quoted(const char* text) { return std::string("'").append(text).append("'"); }

const halcyon_network& require_batch(const Network& network, int64_t batch) {
  if (batch < 1 || batch > Network::kMaxBatch)
    throw UserError("batch of " + std::to_string(batch) + ", it must be 1 to " +
                    std::to_string(Network::kMaxBatch));
  return network.info();
}

/// The picture input, its extents and order. Errors: UserError if the network has another kind of
/// input.
PixelOrder check_input(const halcyon_network& info, const Dataset& data) {
  const std::string who = "network " + quoted(info.name);
  if (info.input_count != 1)
    throw UserError(who + " has " + std::to_string(info.input_count) +
                    " inputs, a data set of pictures needs 1");
  const halcyon_tensor_info& input = info.inputs[0];
  const std::string_view axes = input.axes;
  if (input.dtype != HALCYON_F32 || input.rank != 3 || (axes != "HWC" && axes != "CHW"))
    throw UserError(who + ": input " + quoted(input.name) + " is " +
                    (input.dtype == HALCYON_F32 ? "" : "of integers, ") + "of rank " +
                    std::to_string(input.rank) + " with axes '" + std::string(axes) +
                    "', a data set of pictures needs HWC or CHW floats");
  const int64_t* s = input.shape;
  const PictureShape expected =
      axes == "HWC" ? PictureShape{s[0], s[1], s[2]} : PictureShape{s[1], s[2], s[0]};
  if (data.shape() != expected)
    throw UserError(
        "data set '" + data.name() + "' has pictures of " + to_text(data.shape()) + ", input " +
            quoted(input.name) + " of " + who + " takes " + to_text(expected) +
            " (height x width x channels)",
        "compile the network for " + to_text(data.shape()) + ", or take another data set");
  return axes == "HWC" ? PixelOrder::kHWC : PixelOrder::kCHW;
}

/// Which output has a score for each class of the data.
size_t find_scores(const halcyon_network& info, const Dataset& data) {
  std::string found;
  for (int32_t i = 0; i < info.output_count; ++i) {
    const halcyon_tensor_info& output = info.outputs[i];
    if (output.dtype == HALCYON_F32 && output.rank == 1 && output.elements >= data.classes())
      return static_cast<size_t>(i);
    found +=
        (i == 0 ? "" : ", ") + quoted(output.name) + " with " + std::to_string(output.elements);
  }
  throw UserError("data set '" + data.name() + "' has " + std::to_string(data.classes()) +
                      " classes, network " + quoted(info.name) +
                      " has no output with that many scores (it has " +
                      (found.empty() ? "none" : found) + ")",
                  "the last layer needs one value for each class");
}

}  // namespace

Batches::Batches(const Network& network, const Dataset& data, int64_t batch)
    : data_(&data),
      batch_(std::min(batch, data.count())),
      order_(check_input(require_batch(network, batch), data)) {
  if (const auto picture = data.first_not_finite())
    throw UserError("data set '" + data.name() + "': picture " + std::to_string(*picture) +
                        " holds a value that is infinite or not a number",
                    "leave such pictures out, or mend them");
  images_.resize(static_cast<size_t>(batch_ * data.shape().elements()));
  labels_.resize(static_cast<size_t>(batch_));
}

void Batches::fill(std::span<const int64_t> indices) {
  if (static_cast<int64_t>(indices.size()) > batch_)
    throw UserError("batch of " + std::to_string(indices.size()) + ", at most " +
                    std::to_string(batch_) + " were reserved");
  data_->fill(indices, images_.data(), labels_.data(), order_);
}

Evaluator::Evaluator(Network& network, const Dataset& data, int64_t batch)
    : network_(network),
      data_(data),
      batches_(network, data, batch),
      output_(find_scores(network.info(), data)),
      classes_(network.info().outputs[output_].elements) {
  network.reserve_inference(batches_.batch());
  for (int32_t i = 0; i < network.info().output_count; ++i)
    outputs_.emplace_back(
        static_cast<size_t>(batches_.batch() * network.info().outputs[i].elements));
  // Integer outputs are as large as floats; only the scores are looked at.
  for (auto& output : outputs_) output_pointers_.push_back(output.data());
  indices_.resize(static_cast<size_t>(batches_.batch()));
}

void Evaluator::infer(std::span<const int64_t> indices) {
  batches_.fill(indices);
  const void* const input = batches_.images().data();
  network_.infer(static_cast<int64_t>(indices.size()), {&input, 1}, output_pointers_);
}

Evaluation Evaluator::run() {
  const auto began = std::chrono::steady_clock::now();
  const auto classes = static_cast<size_t>(classes_);
  Evaluation result{ConfusionMatrix(data_.classes())};
  for (int64_t first = 0; first < data_.count(); first += batches_.batch()) {
    const auto n = static_cast<size_t>(std::min(batches_.batch(), data_.count() - first));
    std::iota(indices_.begin(), indices_.end(), first);
    infer(std::span(indices_).first(n));
    const std::span<const float> scores = outputs_[output_];
    for (size_t i = 0; i < n; ++i)
      result.confusion.add(batches_.labels()[i], largest(scores.subspan(i * classes, classes)));
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  result.accuracy = result.confusion.accuracy();
  result.images_per_s = seconds > 0 ? static_cast<double>(data_.count()) / seconds : 0;
  return result;
}

std::vector<float> Evaluator::scores(std::span<const int64_t> indices) {
  std::vector<float> all;
  const auto batch = static_cast<size_t>(batches_.batch()), classes = static_cast<size_t>(classes_);
  for (size_t first = 0; first < indices.size(); first += batch) {
    const size_t n = std::min(batch, indices.size() - first);
    infer(indices.subspan(first, n));
    all.insert(all.end(), outputs_[output_].begin(),
               outputs_[output_].begin() + static_cast<int64_t>(n * classes));
  }
  return all;
}

}  // namespace halcyon::runtime
