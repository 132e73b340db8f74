#pragma once
/// What a training run or an evaluation counts: correct answers, running means, who is taken for
/// whom.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace halcyon::runtime {

/// The index of the largest score, the first among equals; -1 when none is a number.
int64_t largest(std::span<const float> scores);

/// How many of the rows of scores [n, classes] have their largest score at their label [n].
int64_t count_correct(std::span<const float> scores, std::span<const int32_t> labels);

/// A weighted mean that never stores its values.
class RunningMean {
 public:
  void add(double value, double weight = 1);
  void reset();
  /// 0 before the first value.
  double mean() const { return weight_ > 0 ? sum_ / weight_ : 0; }
  double weight() const { return weight_; }

 private:
  double sum_ = 0, weight_ = 0;
};

/// Counts of [true class, predicted class].
class ConfusionMatrix {
 public:
  /// Errors: UserError for less than one class.
  explicit ConfusionMatrix(int64_t classes);

  /// A prediction outside [0, classes) (no score was a number) counts as wrong. Errors: UserError
  /// for a bad truth.
  void add(int64_t truth, int64_t predicted);
  int64_t classes() const { return classes_; }
  /// Errors: UserError outside [0, classes).
  int64_t at(int64_t truth, int64_t predicted) const;
  int64_t total() const { return total_; }
  int64_t correct() const;
  double accuracy() const;             ///< share of all that are right; 0 when nothing was added
  double recall(int64_t truth) const;  ///< share of the pictures of a class that were recognised
  double precision(int64_t predicted) const;  ///< share of the answers with a class that were right

  /// A table with one line per true class, its recall at the end.
  std::string to_text() const;

 private:
  int64_t classes_;
  int64_t total_ = 0;
  std::vector<int64_t> counts_;    // [truth][predicted]
  std::vector<int64_t> of_truth_;  // [truth], with the pictures that got no answer
};

}  // namespace halcyon::runtime
