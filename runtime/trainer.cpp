#include "runtime/trainer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <system_error>

#include "runtime/base/error.h"
#include "runtime/checkpoint.h"
#include "runtime/file.h"
#include "runtime/json_lines.h"

namespace halcyon::runtime {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kMostSteps = int64_t{1} << 40;
constexpr const char* kRateTooHigh =
    "the learning rate is probably too high: lower it or give the schedule warm-up steps";

double seconds_since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

double rate(double amount, double seconds) { return seconds > 0 ? amount / seconds : 0; }

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

/// The shortest text that reads back as the same number: two rates that differ look different.
template <typename Number>
std::string exact_text(Number value) {
  std::array<char, 64> text{};
  const std::to_chars_result result = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), result.ptr};
}

void require(bool holds, const char* what, double found, const char* expected) {
  if (!holds)
    throw UserError("training options: " + std::string(what) + " is " + number_text(found) +
                    ", it must be " + expected);
}

/// Comparisons are written so that a value that is not a number fails them.
void check_options(const TrainOptions& options, halcyon_optimizer optimizer) {
  const halcyon_hyper& hyper = options.hyper;
  require(options.epochs >= 1 && options.epochs <= 1'000'000, "epochs",
          static_cast<double>(options.epochs), "1 to 1000000");
  require(options.steps >= 0 && options.steps <= kMostSteps, "steps",
          static_cast<double>(options.steps), "0 (by epochs) to 2^40");
  require(options.batch >= 1 && options.batch <= Network::kMaxBatch, "batch",
          static_cast<double>(options.batch), "1 to 1048576");
  require(options.log_every >= 1, "log_every", static_cast<double>(options.log_every), "1 or more");
  require(options.checkpoint_every >= 0, "checkpoint_every",
          static_cast<double>(options.checkpoint_every), "0 or more");
  require(hyper.learning_rate > 0 && std::isfinite(hyper.learning_rate), "learning_rate",
          hyper.learning_rate, "above 0");
  require(hyper.weight_decay >= 0 && std::isfinite(hyper.weight_decay), "weight_decay",
          hyper.weight_decay, "0 or more");
  if (optimizer != HALCYON_SGD)
    require(hyper.momentum >= 0 && hyper.momentum < 1, "momentum", hyper.momentum,
            "0 or more and below 1");
  if (optimizer == HALCYON_ADAM)
    require(hyper.beta2 >= 0 && hyper.beta2 < 1, "beta2", hyper.beta2, "0 or more and below 1");
  if (optimizer == HALCYON_ADAM || optimizer == HALCYON_RMSPROP)
    require(hyper.epsilon > 0 && std::isfinite(hyper.epsilon), "epsilon", hyper.epsilon, "above 0");
  options.schedule.check();
  // Found out before the first epoch instead of after it.
  if (!options.checkpoint_path.empty()) check_can_write(options.checkpoint_path);
}

void check_network(const halcyon_network& info) {
  const std::string who = "network '" + std::string(info.name) + "'";
  if (info.train_step == nullptr)
    throw UserError(who + " is an inference library, it cannot be trained",
                    "compile it with --train, or TRAINING in halcyon_add_network()");
  if (info.target_count != 1 || info.targets[0].dtype != HALCYON_I32 ||
      info.targets[0].elements != 1)
    throw UserError(
        who + " has " + std::to_string(info.target_count) +
            " targets, training on labelled pictures needs exactly one, of one integer label",
        "end the network with a softmax cross-entropy loss, or call train_step yourself");
}

void check_labels(const halcyon_network& info, const Dataset& data) {
  const halcyon_tensor_info& target = info.targets[0];
  const auto wrong = std::find_if(data.labels().begin(), data.labels().end(),
                                  [&](int32_t label) { return label >= target.classes; });
  if (wrong != data.labels().end())
    throw UserError("data set '" + data.name() + "': label " + std::to_string(*wrong) +
                        " of picture " + std::to_string(wrong - data.labels().begin()) +
                        ", target '" + target.name + "' of network '" + info.name +
                        "' takes 0 to " + std::to_string(target.classes - 1),
                    "the last layer needs one output for each class");
}

/// Throws unless options and data fit the network; returns it so that members can be set with it in
/// order.
Network& checked(Network& network, const Dataset& train, const Dataset* test,
                 const TrainOptions& options) {
  check_network(network.info());
  check_options(options, network.info().optimizer);
  check_labels(network.info(), train);
  if (test != nullptr) check_labels(network.info(), *test);
  return network;
}

}  // namespace

halcyon_hyper default_hyper(halcyon_optimizer optimizer) {
  switch (optimizer) {
    case HALCYON_RMSPROP: return {1e-3f, 0.99f, 0, 1e-8f, 0, 1};
    case HALCYON_ADAM: return {1e-3f, 0.9f, 0.999f, 1e-8f, 0, 1};
    case HALCYON_MOMENTUM: return {1e-2f, 0.9f, 0, 0, 0, 1};
    case HALCYON_SGD:
    case HALCYON_NO_OPTIMIZER: break;
  }
  return {1e-2f, 0, 0, 0, 0, 1};
}

Trainer::Trainer(Network& network, const Dataset& train, const Dataset* test, TrainOptions options,
                 Progress& progress)
    : network_(checked(network, train, test, options)),
      train_(train),
      options_(std::move(options)),
      progress_(progress),
      batches_(network, train, options_.batch) {
  steps_per_epoch_ = (train.count() + options_.batch - 1) / options_.batch;
  total_steps_ = options_.steps > 0 ? options_.steps : options_.epochs * steps_per_epoch_;
  if (test != nullptr) evaluator_.emplace(network, *test, options_.batch);
  network.reserve(batches_.batch());
  losses_.resize(static_cast<size_t>(network.info().loss_count));
  means_.resize(losses_.size() + 1);
}

void Trainer::resume(const std::string& path) {
  const Checkpoint checkpoint = Checkpoint::load(path);
  const TrainerPosition& position = checkpoint.position;
  // Other pictures, rates or sizes would be another run: refused, not mixed.
  const auto expect = [&](const std::string& what, const std::string& found,
                          const std::string& now) {
    if (found != now)
      throw UserError("checkpoint '" + path + "' is from a run with " + what + " " + found +
                          ", this one has " + now,
                      "give the same options, or begin a new run from these parameters with "
                      "--weights");
  };
  const auto note = [&](const std::string& name) {
    const auto found = position.notes.find(name);
    return found == position.notes.end() ? std::string("unknown") : found->second;
  };
  // Another optimizer has other numbers: apply() refuses it and says so.
  if (checkpoint.optimizer == optimizer_name(network_.info().optimizer)) {
    expect("seed", std::to_string(position.shuffle_seed), std::to_string(options_.seed));
    for (const auto& [name, value] : notes()) expect(name, note(name), value);
  }
  if (position.step < 0 || position.step > kMostSteps)
    throw UserError("checkpoint '" + path + "' stands at step " + std::to_string(position.step) +
                    ", it must be 0 to 2^40");
  for (const WeightFile* part : {&checkpoint.weights, &checkpoint.state})
    for (const WeightTensor& tensor : part->tensors)
      check_finite(tensor.floats(), "checkpoint '" + path + "': tensor '" + tensor.name + "'");
  checkpoint.apply(network_);
  step_ = first_step_ = saved_step_ = position.step;
  for (RunningMean& mean : means_) mean.reset();
}

std::vector<std::pair<std::string, std::string>> Trainer::notes() const {
  const halcyon_hyper& hyper = options_.hyper;
  const Schedule& schedule = options_.schedule;
  std::vector<std::pair<std::string, std::string>> notes = {
      {"batch", std::to_string(options_.batch)},
      {"shuffle", options_.shuffle ? "on" : "off"},
      {"pictures", std::to_string(train_.count())},
      {"learning rate", exact_text(hyper.learning_rate)},
      {"momentum", exact_text(hyper.momentum)},
      {"beta2", exact_text(hyper.beta2)},
      {"epsilon", exact_text(hyper.epsilon)},
      {"weight decay", exact_text(hyper.weight_decay)},
      {"schedule", to_text(schedule.kind)},
      {"warm-up steps", std::to_string(schedule.warmup_steps)}};
  // A constant rate is the same in a run of any length, which may therefore grow.
  if (schedule.kind == Schedule::Kind::kConstant) return notes;
  notes.emplace_back("total steps", std::to_string(total_steps_));
  if (schedule.kind == Schedule::Kind::kStep) {
    notes.emplace_back("steps between drops", std::to_string(schedule.step_every));
    notes.emplace_back("drop factor", exact_text(schedule.step_factor));
  } else {
    notes.emplace_back("final fraction", exact_text(schedule.final_fraction));
  }
  return notes;
}

halcyon_hyper Trainer::hyper_of(int64_t step) const {
  halcyon_hyper hyper = options_.hyper;
  hyper.learning_rate =
      static_cast<float>(hyper.learning_rate * options_.schedule.factor(step, total_steps_));
  hyper.step = step + 1;
  hyper.seed = options_.seed;
  return hyper;
}

void Trainer::check_parameters(const WeightFile& weights) const {
  for (const WeightTensor& tensor : weights.tensors)
    for (const float value : tensor.floats())
      if (!std::isfinite(value) && step_ == first_step_)
        throw UserError(
            "before the first step: parameter '" + tensor.name + "' holds " + number_text(value),
            "the starting weights are not finite");
      else if (!std::isfinite(value))
        throw UserError("after training step " + std::to_string(step_) + ": parameter '" +
                            tensor.name + "' holds " + number_text(value) +
                            ", the learning rate is " +
                            number_text(hyper_of(step_ - 1).learning_rate),
                        kRateTooHigh);
}

void Trainer::save_checkpoint() {
  if (options_.checkpoint_path.empty() || saved_step_ == step_) return;
  TrainerPosition position;
  position.epoch = step_ / steps_per_epoch_;
  position.step = step_;
  position.shuffle_seed = options_.seed;
  position.hyper = hyper_of(step_ > 0 ? step_ - 1 : 0);
  for (auto& [name, value] : notes()) position.notes[name] = value;
  const Checkpoint checkpoint = Checkpoint::take(network_, position);
  // A loss tells of parameters before its step: these may be spoilt although it was not.
  check_parameters(checkpoint.weights);
  checkpoint.save(options_.checkpoint_path);
  saved_step_ = step_;
}

void Trainer::fail_not_finite(int64_t epoch, std::span<const int64_t> pictures, size_t loss) const {
  const halcyon_network& info = network_.info();
  const std::string where = "training step " + std::to_string(step_ + 1) + " (epoch " +
                            std::to_string(epoch + 1) + "): loss '" + info.losses[loss] + "' is " +
                            number_text(losses_[loss]);
  const auto elements = static_cast<size_t>(train_.shape().elements());
  const std::span<const float> values = batches_.images().first(pictures.size() * elements);
  float most = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i]))
      throw UserError(where + "; picture " + std::to_string(pictures[i / elements]) +
                          " of data set '" + train_.name() + "' holds " + number_text(values[i]),
                      "check the normalisation of the data set");
    most = std::max(most, std::abs(values[i]));
  }
  const std::string finite =
      "; its " + std::to_string(pictures.size()) + " pictures are finite (up to " +
      number_text(most) + "), the learning rate is " + number_text(hyper_of(step_).learning_rate);
  if (step_ == first_step_)
    throw UserError(where + finite,
                    "no step was taken before: the starting weights are too large or not finite");
  throw UserError(where + finite, kRateTooHigh);
}

int64_t Trainer::train_step(int64_t epoch) {
  const int64_t first = step_ % steps_per_epoch_ * options_.batch;
  const int64_t count = std::min(options_.batch, train_.count() - first);
  const std::span<const int64_t> pictures = std::span<const int64_t>(order_).subspan(
      static_cast<size_t>(first), static_cast<size_t>(count));
  batches_.fill(pictures);
  const void* const input = batches_.images().data();
  const void* const target = batches_.labels().data();
  network_.train_step(count, {&input, 1}, {&target, 1}, hyper_of(step_), losses_);
  double sum = 0;
  for (size_t i = 0; i < losses_.size(); ++i) {
    if (!std::isfinite(losses_[i])) fail_not_finite(epoch, pictures, i);
    means_[i].add(losses_[i], static_cast<double>(count));
    sum += losses_[i];
  }
  means_.back().add(sum, static_cast<double>(count));
  last_loss_ = sum;
  ++step_;
  return count;
}

EpochReport Trainer::train_epoch(int64_t epoch, JsonLines& log) {
  const int64_t end = std::min((epoch + 1) * steps_per_epoch_, total_steps_);
  const int64_t begin = step_;
  const char* const* names = network_.info().losses;
  if (options_.shuffle) {
    shuffle_epoch(train_.count(), options_.seed, epoch, order_);
  } else {
    order_.resize(static_cast<size_t>(train_.count()));
    for (size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<int64_t>(i);
  }
  for (RunningMean& mean : means_) mean.reset();

  EpochReport report{epoch + 1};
  double logged_s = 0;  // training time and pictures at the last line of the log
  int64_t pictures = 0, logged_pictures = 0;
  char note[64];
  while (step_ < end) {
    const Clock::time_point began = Clock::now();
    pictures += train_step(epoch);
    report.train_s += seconds_since(began);

    if (log && (step_ % options_.log_every == 0 || step_ == end)) {
      log.begin("step").add("step", step_).add("epoch", epoch + 1).add("loss", last_loss_);
      if (losses_.size() > 1) {
        log.open("losses");
        for (size_t i = 0; i < losses_.size(); ++i)
          log.add(names[i], static_cast<double>(losses_[i]));
        log.close();
      }
      log.add("lr", static_cast<double>(hyper_of(step_ - 1).learning_rate))
          .add("images_per_s",
               rate(static_cast<double>(pictures - logged_pictures), report.train_s - logged_s))
          .end();
      logged_s = report.train_s;
      logged_pictures = pictures;
    }
    if (progress_.mode() != Progress::Mode::kSilent) {
      std::snprintf(note, sizeof note, "loss %.4f  %.0f images/s", means_.back().mean(),
                    rate(static_cast<double>(pictures), report.train_s));
      progress_.update(step_ % steps_per_epoch_ == 0 ? steps_per_epoch_ : step_ % steps_per_epoch_,
                       note);
    }
    if (options_.checkpoint_every > 0 && step_ % options_.checkpoint_every == 0) save_checkpoint();
  }
  report.steps = step_ - begin;
  report.loss = means_.back().mean();
  for (size_t i = 0; i < losses_.size(); ++i) report.losses.push_back(means_[i].mean());
  report.images_per_s = rate(static_cast<double>(pictures), report.train_s);
  return report;
}

Report Trainer::run() {
  const halcyon_network& info = network_.info();
  first_step_ = step_;
  check_parameters(network_.weights());
  JsonLines log(options_.log_path, step_ > 0);
  if (log)
    log.begin(step_ > 0 ? "resume" : "start")
        .add("network", info.name)
        .add("target", info.target)
        .add("optimizer", optimizer_name(info.optimizer))
        .add("pictures", train_.count())
        .add("batch", options_.batch)
        .add("steps", total_steps_)
        .add("done", step_)
        .add("seed",
             std::to_string(options_.seed))  // as text: 64 bits do not survive every JSON reader
        .end();

  Report report;
  double pictures = 0;
  const int64_t epochs = (total_steps_ + steps_per_epoch_ - 1) / steps_per_epoch_;
  while (step_ < total_steps_) {
    const int64_t number = step_ / steps_per_epoch_;
    const std::string title = "epoch " + std::to_string(number + 1) + "/" + std::to_string(epochs);
    progress_.begin(title, std::min(steps_per_epoch_, total_steps_ - number * steps_per_epoch_));
    EpochReport epoch = train_epoch(number, log);
    check_parameters(network_.weights());
    save_checkpoint();
    if (evaluator_) epoch.test_accuracy = evaluator_->run().accuracy;

    if (log) {
      log.begin("epoch").add("epoch", epoch.epoch).add("step", step_).add("loss", epoch.loss);
      if (epoch.test_accuracy) log.add("test_accuracy", *epoch.test_accuracy);
      log.add("images_per_s", epoch.images_per_s).add("train_s", epoch.train_s).end();
    }
    char line[160], accuracy[32] = "";
    if (epoch.test_accuracy)
      std::snprintf(accuracy, sizeof accuracy, "  test accuracy %.2f%%",
                    100 * *epoch.test_accuracy);
    std::snprintf(line, sizeof line, "%s  loss %.4f%s  %.0f images/s  %s", title.c_str(),
                  epoch.loss, accuracy, epoch.images_per_s, duration_text(epoch.train_s).c_str());
    progress_.finish(line);

    report.steps += epoch.steps;
    report.train_s += epoch.train_s;
    pictures += epoch.images_per_s * epoch.train_s;
    report.test_accuracy = epoch.test_accuracy;
    report.epochs.push_back(std::move(epoch));
  }
  if (report.epochs.empty() && evaluator_) report.test_accuracy = evaluator_->run().accuracy;
  report.last_loss = last_loss_;
  report.images_per_s = rate(pictures, report.train_s);
  return report;
}

}  // namespace halcyon::runtime
