#pragma once
/// The functions a host calls, written with LLVM's IR builder: they check what the host gave,
/// compute addresses from fixed offsets and call the kernels in order.

#include <cstddef>
#include <string>
#include <vector>

#include "compiler/emit/frame.h"
#include "compiler/emit/interface.h"
#include "compiler/target.h"

namespace halcyon::compiler {

/// One network as entry functions need it.
struct EntryPlan {
  const Program* program = nullptr;
  std::vector<std::string> kernels;  ///< symbol of each region
  Scratch scratch;                   ///< the most that any kernel needs

  /// In this order: what does not grow with the batch, what does, scratch of the kernel outside of
  /// its parallel loops, scratch of each worker.
  int64_t workspace_bytes(int64_t batch, int64_t workers) const {
    return program->memory.workspace_bytes(batch) + scratch.own_bytes +
           workers * scratch.worker_bytes;
  }
};

/// An object file with NAME_network, NAME_workspace_bytes, NAME_pack, NAME_unpack, NAME_prepare,
/// NAME_infer and, where `training` is given, NAME_train_step and NAME_train_workspace_bytes.
std::vector<std::byte> emit_entry(const Interface& interface, const EntryPlan& inference,
                                  const EntryPlan* training, const Target& target);

}  // namespace halcyon::compiler
