#include "runtime/metrics.h"

#include <cmath>
#include <cstdio>

#include "runtime/base/error.h"

namespace halcyon::runtime {

int64_t largest(std::span<const float> scores) {
  int64_t best = -1;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (std::isnan(scores[i])) continue;
    if (best < 0 || scores[i] > scores[static_cast<size_t>(best)]) best = static_cast<int64_t>(i);
  }
  return best;
}

int64_t count_correct(std::span<const float> scores, std::span<const int32_t> labels) {
  if (labels.empty()) return 0;
  if (scores.size() % labels.size() != 0)
    throw UserError("accuracy: " + std::to_string(scores.size()) + " scores do not spread over " +
                    std::to_string(labels.size()) + " labels");
  const size_t classes = scores.size() / labels.size();
  int64_t correct = 0;
  for (size_t i = 0; i < labels.size(); ++i)
    correct += largest(scores.subspan(i * classes, classes)) == labels[i];
  return correct;
}

void RunningMean::add(double value, double weight) {
  sum_ += value * weight;
  weight_ += weight;
}

void RunningMean::reset() { sum_ = weight_ = 0; }

ConfusionMatrix::ConfusionMatrix(int64_t classes) : classes_(classes) {
  if (classes < 1 || classes > (1 << 14))
    throw UserError("confusion matrix: " + std::to_string(classes) +
                    " classes, 1 to 16384 are possible");
  counts_.resize(static_cast<size_t>(classes * classes));
  of_truth_.resize(static_cast<size_t>(classes));
}

void ConfusionMatrix::add(int64_t truth, int64_t predicted) {
  if (truth < 0 || truth >= classes_)
    throw UserError("confusion matrix: true class " + std::to_string(truth) + ", it must be 0 to " +
                    std::to_string(classes_ - 1));
  ++total_;
  ++of_truth_[static_cast<size_t>(truth)];
  if (predicted >= 0 && predicted < classes_)
    ++counts_[static_cast<size_t>(truth * classes_ + predicted)];
}

int64_t ConfusionMatrix::at(int64_t truth, int64_t predicted) const {
  if (truth < 0 || truth >= classes_ || predicted < 0 || predicted >= classes_)
    throw UserError("confusion matrix: no cell of class " + std::to_string(truth) + " taken for " +
                    std::to_string(predicted) + ", there are " + std::to_string(classes_) +
                    " classes");
  return counts_[static_cast<size_t>(truth * classes_ + predicted)];
}

int64_t ConfusionMatrix::correct() const {
  int64_t sum = 0;
  for (int64_t c = 0; c < classes_; ++c) sum += at(c, c);
  return sum;
}

double ConfusionMatrix::accuracy() const {
  return total_ > 0 ? static_cast<double>(correct()) / static_cast<double>(total_) : 0;
}

double ConfusionMatrix::recall(int64_t truth) const {
  const int64_t right = at(truth, truth), all = of_truth_[static_cast<size_t>(truth)];
  return all > 0 ? static_cast<double>(right) / static_cast<double>(all) : 0;
}

double ConfusionMatrix::precision(int64_t predicted) const {
  int64_t sum = 0;
  for (int64_t t = 0; t < classes_; ++t) sum += at(t, predicted);
  return sum > 0 ? static_cast<double>(at(predicted, predicted)) / static_cast<double>(sum) : 0;
}

std::string ConfusionMatrix::to_text() const {
  char cell[32];
  std::string text = "true\\said";
  for (int64_t p = 0; p < classes_; ++p) {
    std::snprintf(cell, sizeof cell, "%6lld", static_cast<long long>(p));
    text += cell;
  }
  text += "  recall\n";
  for (int64_t t = 0; t < classes_; ++t) {
    std::snprintf(cell, sizeof cell, "%9lld", static_cast<long long>(t));
    text += cell;
    for (int64_t p = 0; p < classes_; ++p) {
      std::snprintf(cell, sizeof cell, "%6lld", static_cast<long long>(at(t, p)));
      text += cell;
    }
    std::snprintf(cell, sizeof cell, "%7.2f%%\n", 100 * recall(t));
    text += cell;
  }
  return text;
}

}  // namespace halcyon::runtime
