#pragma once
/// infer and train_step: the body that both share.

#include "compiler/emit/entry.h"
#include "compiler/emit/ir.h"

namespace halcyon::compiler {

/// `uint64_t NAME(int64_t batch, int32_t workers)`
llvm::Function* emit_workspace_bytes(Ir& ir, const std::string& name, const EntryPlan& plan);
/// See halcyon_network::infer.
llvm::Function* emit_infer(Ir& ir, const std::string& name, const Interface& interface,
                           const EntryPlan& plan, llvm::Function* workspace_bytes);
/// See halcyon_network::train_step.
llvm::Function* emit_train_step(Ir& ir, const std::string& name, const Interface& interface,
                                const EntryPlan& plan, llvm::Function* workspace_bytes);

}  // namespace halcyon::compiler
