#pragma once
/// The constant tables of a compiled network and the functions that move parameters between their
/// canonical and their packed form.

#include "compiler/emit/interface.h"
#include "compiler/emit/ir.h"

namespace halcyon::compiler {

/// The functions that the table of a network points at; null members stay NULL.
struct EntryFunctions {
  llvm::Function* workspace_bytes = nullptr;
  llvm::Function* prepare = nullptr;
  llvm::Function* infer = nullptr;
  llvm::Function* pack = nullptr;
  llvm::Function* unpack = nullptr;
  llvm::Function* train_workspace_bytes = nullptr;
  llvm::Function* train_step = nullptr;
};

/// NAME_pack and NAME_unpack of abi.h.
void emit_packing(Ir& ir, const Interface& interface, EntryFunctions& functions);

/// NAME_network() and the constant halcyon_network it returns.
void emit_network_table(Ir& ir, const Interface& interface, const EntryFunctions& functions);

}  // namespace halcyon::compiler
