#include "compiler/emit/entry.h"

#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>

#include <mutex>

#include "compiler/emit/step.h"
#include "compiler/emit/tables.h"
#include "runtime/base/error.h"

namespace halcyon::compiler {

namespace {

std::unique_ptr<llvm::TargetMachine> make_target_machine(const std::string& triple) {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
  });
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (target == nullptr) throw InternalError("emit: " + error);
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(triple, "", "", llvm::TargetOptions(), llvm::Reloc::PIC_,
                                  llvm::None, llvm::CodeGenOpt::Default));
}

void optimise(llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager cgsccs;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(cgsccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, cgsccs, modules);
  // Small: none of this is a hot loop.
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::Os).run(module, modules);
}

std::vector<std::byte> to_object(llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, llvm::CGFT_ObjectFile)) {
    throw InternalError("emit: this target has no object files");
  }
  passes.run(module);
  const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
  return {data, data + bytes.size()};
}

}  // namespace

std::vector<std::byte> emit_entry(const Interface& interface, const EntryPlan& inference,
                                  const EntryPlan* training, const Target& target) {
  llvm::LLVMContext context;
  llvm::Module module(interface.name, context);
  const std::unique_ptr<llvm::TargetMachine> machine = make_target_machine(target.triple);
  module.setTargetTriple(target.triple);
  module.setDataLayout(machine->createDataLayout());
  module.setPICLevel(llvm::PICLevel::BigPIC);

  Ir ir(module);
  EntryFunctions functions;
  const std::string& name = interface.name;
  functions.workspace_bytes = emit_workspace_bytes(ir, name + "_workspace_bytes", inference);
  functions.prepare =
      emit_prepare(ir, name + "_prepare", interface, inference, functions.workspace_bytes);
  functions.infer =
      emit_infer(ir, name + "_infer", interface, inference, functions.workspace_bytes);
  if (training != nullptr) {
    functions.train_workspace_bytes =
        emit_workspace_bytes(ir, name + "_train_workspace_bytes", *training);
    functions.train_step = emit_train_step(ir, name + "_train_step", interface, *training,
                                           functions.train_workspace_bytes);
  }
  emit_packing(ir, interface, functions);
  emit_network_table(ir, interface, functions);

  std::string problem;
  llvm::raw_string_ostream problems(problem);
  if (llvm::verifyModule(module, &problems)) throw InternalError("emit: " + problems.str());
  optimise(module, *machine);
  return to_object(module, *machine);
}

}  // namespace halcyon::compiler
