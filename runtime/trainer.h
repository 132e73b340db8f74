#pragma once
/// Trains a compiled classifier on a data set.
///
/// A run is a function of its options, its data and its starting parameters: the order of the
/// pictures depends only on seed and epoch, the learning rate only on the step. A checkpoint
/// therefore needs the step alone to continue bit for bit, with the same options. The network must
/// have one picture input (axes "HWC" or "CHW"), one label target and an output with one score per
/// class.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/abi.h"
#include "runtime/dataset.h"
#include "runtime/evaluator.h"
#include "runtime/metrics.h"
#include "runtime/network.h"
#include "runtime/progress.h"
#include "runtime/schedule.h"

namespace halcyon::runtime {

class JsonLines;

/// The numbers an optimizer starts with: SGD and momentum rate 0.01, momentum 0.9; RMSprop rate
/// 0.001, alpha 0.99, epsilon 1e-8; Adam rate 0.001, betas 0.9 and 0.999, epsilon 1e-8.
halcyon_hyper default_hyper(halcyon_optimizer optimizer);

struct TrainOptions {
  int64_t epochs = 5;
  int64_t steps = 0;  ///< when above 0, the length of the run instead of epochs
  int64_t batch = 64;
  halcyon_hyper hyper =
      default_hyper(HALCYON_MOMENTUM);  ///< learning_rate is the schedule's base; step is ignored
  Schedule schedule;
  uint64_t seed = 0;
  bool shuffle = true;
  std::string log_path;          ///< JSON lines; empty: none
  int64_t log_every = 1;         ///< steps between two lines of event "step"
  std::string checkpoint_path;   ///< written at the end of every epoch and of the run; empty: none
  int64_t checkpoint_every = 0;  ///< also every so many steps; 0: only at epoch ends
};

/// One epoch as it was trained; `loss` is the mean over its pictures of the sum of the losses.
struct EpochReport {
  int64_t epoch = 0;  ///< 1 is the first
  int64_t steps = 0;  ///< of this epoch, in this run
  double loss = 0;
  std::vector<double> losses;           ///< one per loss of the network
  std::optional<double> test_accuracy;  ///< when there is a test set
  double images_per_s = 0;  ///< training only: filling batches and steps, no evaluation, no files
  double train_s = 0;
};

struct Report {
  int64_t steps = 0;  ///< of this run, without those before resume()
  double last_loss = 0;
  double images_per_s = 0;
  double train_s = 0;
  std::optional<double> test_accuracy;  ///< after the last step
  std::vector<EpochReport> epochs;
};

class Trainer {
 public:
  /// Reserves the network for the batch. `test` may be null. Everything that can be checked before
  /// the first step is checked here. Errors: UserError for an inference library, options out of
  /// range, data that does not fit.
  Trainer(Network& network, const Dataset& train, const Dataset* test, TrainOptions options,
          Progress& progress);

  /// Continues from a checkpoint of a run with the same options; only with a constant schedule may
  /// the number of epochs or steps differ. Errors: UserError for another network, or for another
  /// run, naming the first option that differs.
  void resume(const std::string& path);

  /// Trains to the end of the run.   Cost: a step allocates nothing.
  /// Errors: UserError for a loss or parameters that are not finite (parameters are then spoilt,
  /// the last checkpoint is not).
  Report run();

  int64_t total_steps() const { return total_steps_; }
  int64_t steps_per_epoch() const { return steps_per_epoch_; }

 private:
  halcyon_hyper hyper_of(int64_t step) const;
  /// What a checkpoint must agree on besides the seed: names and texts, in the order of comparison.
  std::vector<std::pair<std::string, std::string>> notes() const;
  int64_t train_step(int64_t epoch);
  EpochReport train_epoch(int64_t epoch, JsonLines& log);
  void check_parameters(const WeightFile& weights) const;
  void save_checkpoint();
  [[noreturn]] void fail_not_finite(int64_t epoch, std::span<const int64_t> pictures,
                                    size_t loss) const;

  Network& network_;
  const Dataset& train_;
  TrainOptions options_;
  Progress& progress_;
  Batches batches_;
  std::optional<Evaluator> evaluator_;
  int64_t steps_per_epoch_ = 0, total_steps_ = 0, step_ = 0;  // step_: steps done
  int64_t first_step_ = 0,
          saved_step_ = -1;  // where this run began; the last step that is in a checkpoint
  double last_loss_ = 0;
  std::vector<int64_t> order_;
  std::vector<float> losses_;
  std::vector<RunningMean> means_;  // of each loss over the epoch, and of their sum
};

}  // namespace halcyon::runtime
