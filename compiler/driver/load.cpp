#include "compiler/driver/load.h"

#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Support/TargetSelect.h>

#include "compiler/target.h"
#include "runtime/base/error.h"

namespace halcyon::compiler {

namespace {

template <class T>
T unwrap(llvm::Expected<T> value) {
  if (!value) throw InternalError("load: " + llvm::toString(value.takeError()));
  return std::move(*value);
}

void check(llvm::Error error) {
  if (error) throw InternalError("load: " + llvm::toString(std::move(error)));
}

std::unique_ptr<llvm::MemoryBuffer> buffer_of(const std::string& name,
                                              const std::vector<std::byte>& bytes) {
  return llvm::MemoryBuffer::getMemBufferCopy(
      {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, name);
}

}  // namespace

struct LoadedNetwork::Code {
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

LoadedNetwork::LoadedNetwork(const Artifact& artifact) : code_(std::make_unique<Code>()) {
  if (!runs_on_this_machine(artifact.interface.target)) {
    throw UserError("code for " + artifact.interface.target +
                        " cannot run on this machine, which is " + parse_target("host").features,
                    "use --target host here; halcyon compile makes libraries for other machines");
  }
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  code_->jit = unwrap(llvm::orc::LLJITBuilder().create());
  llvm::orc::LLJIT& jit = *code_->jit;
  // libc and libm, which this process has anyway.
  jit.getMainJITDylib().addGenerator(
      unwrap(llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
          jit.getDataLayout().getGlobalPrefix())));
  for (const KernelObject& kernel : artifact.kernels)
    check(jit.addObjectFile(buffer_of(kernel.symbol, kernel.object)));
  check(jit.addObjectFile(buffer_of(artifact.interface.name, artifact.entry)));
  const llvm::JITEvaluatedSymbol symbol = unwrap(jit.lookup(artifact.interface.name + "_network"));
  const auto network =
      llvm::jitTargetAddressToFunction<const halcyon_network* (*)()>(symbol.getAddress());
  info_ = network();
}

void* LoadedNetwork::kernel(const std::string& symbol) const {
  // Kernels are hidden from other libraries; within this one they may be looked up.
  llvm::orc::LLJIT& jit = *code_->jit;
  const llvm::orc::JITDylibSearchOrder order = {
      {&jit.getMainJITDylib(), llvm::orc::JITDylibLookupFlags::MatchAllSymbols}};
  const llvm::JITEvaluatedSymbol found =
      unwrap(jit.getExecutionSession().lookup(order, jit.mangleAndIntern(symbol)));
  return llvm::jitTargetAddressToPointer<void*>(found.getAddress());
}

LoadedNetwork::~LoadedNetwork() = default;
LoadedNetwork::LoadedNetwork(LoadedNetwork&&) noexcept = default;

}  // namespace halcyon::compiler
