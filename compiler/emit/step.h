#pragma once
/// prepare, infer and train_step: the body that they share.

#include "compiler/emit/entry.h"
#include "compiler/emit/ir.h"

namespace halcyon::compiler {

/// `uint64_t NAME(int64_t batch, int32_t workers)`
llvm::Function* emit_workspace_bytes(Ir& ir, const std::string& name, const EntryPlan& plan);
/// See halcyon_network::prepare.
llvm::Function* emit_prepare(Ir& ir, const std::string& name, const Interface& interface,
                             const EntryPlan& plan, llvm::Function* workspace_bytes);
/// Says in the parameter block whether its prepared part is up to date, where it has one.
void mark_prepared(Ir& ir, const Interface& interface, llvm::Value* parameters, bool up_to_date);
/// See halcyon_network::infer.
llvm::Function* emit_infer(Ir& ir, const std::string& name, const Interface& interface,
                           const EntryPlan& plan, llvm::Function* workspace_bytes);
/// See halcyon_network::train_step.
llvm::Function* emit_train_step(Ir& ir, const std::string& name, const Interface& interface,
                                const EntryPlan& plan, llvm::Function* workspace_bytes);

}  // namespace halcyon::compiler
