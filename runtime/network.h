#pragma once
/// A compiled network with everything it needs to run: parameters, optimizer state, workspace,
/// threads.
///
///     Network network(*lenet5_network());
///     network.load("lenet5.safetensors");
///     const Tensor scores = network.infer(pictures);

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/abi.h"
#include "runtime/memory.h"
#include "runtime/tensor.h"
#include "runtime/thread_pool.h"
#include "runtime/weights.h"

namespace halcyon::runtime {

/// Threads: one call at a time on one Network; any number of them may run at once, also over one
/// `info`.
class Network {
 public:
  static constexpr int64_t kMaxBatch = int64_t{1} << 20;  ///< what the C interface allows

  /// `info` is what NAME_network() returns and must outlive this; `threads` as for ThreadPool. A
  /// network whose parameters are all linked in is ready at once, others after initialize, load or
  /// set_weights.
  /// Errors: UserError if the library was made by another version.
  explicit Network(const halcyon_network& info, int threads = 0);

  const halcyon_network& info() const { return *info_; }
  ThreadPool& pool() { return *pool_; }

  // ---- parameters

  /// Parameters as the network's initialisers say, optimizer state zero. Each parameter draws from
  /// a stream that depends on `seed` and its name only.
  void initialize(uint64_t seed);

  /// Parameters from a file, which must hold exactly the network's; a checkpoint will do too. The
  /// optimizer state is left alone.
  /// Errors: UserError naming what does not fit; then the network is as it was.
  void load(const std::string& path);
  void set_weights(const WeightFile& file);

  /// Errors: UserError if there are no weights yet; as write_weights.
  void save(const std::string& path) const;
  WeightFile weights() const;

  /// The optimizer's state: a tensor "optimizer/SLOT/PARAMETER" for each trainable parameter; none
  /// for sgd.
  WeightFile state() const;
  /// Errors: UserError naming what does not fit; then the state is as it was.
  void set_state(const WeightFile& file);

  /// set_weights and set_state in one: either both or none; `source` is what messages call the
  /// files.
  void restore(const WeightFile& weights, const WeightFile& state, const std::string& source);

  // ---- running

  /// Allocates the workspace for batches up to `max_batch`, for inference and, in a training
  /// library, training. A smaller number than before changes nothing.
  /// Errors: UserError outside [1, kMaxBatch]; SystemError without memory, and then nothing is
  /// reserved any more.
  void reserve(int64_t max_batch);
  /// The same for `infer` alone, which needs less.
  void reserve_inference(int64_t max_batch);

  /// Inputs and outputs in the order of the tables in info(), each batch * elements values.
  /// Errors: UserError for a batch above the reserved one, a wrong number of pointers, missing
  /// weights, and whatever the network refuses.
  /// Cost: allocates nothing, does not scan for non-finite values (check_finite does).
  void infer(int64_t batch, std::span<const void* const> inputs, std::span<void* const> outputs);

  /// The same with tensors, whose first axis is the batch.
  /// Errors: also UserError naming a tensor of another shape or type than the network's, or of
  /// another batch than the others.
  void infer(std::span<const Tensor> inputs, std::span<Tensor> outputs);

  /// Makes the outputs, and reserves for the batch if it is larger than any before.
  std::vector<Tensor> infer(std::span<const Tensor> inputs);
  /// Of a network with one input and one output; UserError for others.
  Tensor infer(const Tensor& input);

  /// One step of training; `losses` gets info().loss_count values. `outputs` is empty or as for
  /// infer, where a nullptr is an output that is not wanted.
  /// Errors: as infer; UserError for an inference library and for a label out of range, which is
  /// named.
  void train_step(int64_t batch, std::span<const void* const> inputs,
                  std::span<const void* const> targets, const halcyon_hyper& hyper,
                  std::span<float> losses, std::span<void* const> outputs = {});

  /// The same with tensors.   Errors: also as infer with tensors.
  void train_step(std::span<const Tensor> inputs, std::span<const Tensor> targets,
                  const halcyon_hyper& hyper, std::span<float> losses);

 private:
  void require_weights() const;
  void check_call(const char* call, int64_t batch, int64_t reserved_batch) const;
  halcyon_context context();
  void prepare(const halcyon_context& lent);
  void grow_workspace(uint64_t size_bytes);
  void fill_weights(const WeightFile& file);
  void fill_state(const WeightFile& file);

  const halcyon_network* info_;
  std::unique_ptr<ThreadPool> pool_;
  AlignedBuffer parameters_;  // packed, then what is computed from them once
  AlignedBuffer state_;       // slots, each laid out like the packed parameters
  AlignedBuffer workspace_;
  bool has_weights_ = false;
  bool is_prepared_ = false;  // what the network computes from its weights is up to date
  int64_t infer_batch_ = 0;   // what the workspace is large enough for
  int64_t train_batch_ = 0;
  // Of tensors during a call; as long as the tables.
  std::vector<const void*> input_pointers_, target_pointers_;
  std::vector<void*> output_pointers_;
};

/// Errors: UserError naming `what`, the first value that is infinite or not a number, and its
/// index.
void check_finite(std::span<const float> values, std::string_view what);

}  // namespace halcyon::runtime
