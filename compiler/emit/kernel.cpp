#include "compiler/emit/kernel.h"

#include <llvm/AsmParser/Parser.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Linker/Linker.h>
#include <llvm/Support/SourceMgr.h>
#include <llvm/Support/raw_ostream.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "compiler/emit/build_id.h"
#include "compiler/emit/frame.h"
#include "compiler/emit/hash.h"
#include "compiler/kernels/kernels.h"
#include "runtime/base/error.h"

namespace halcyon::compiler {

namespace {

constexpr const char* kHalideFunction = "halide_kernel";
constexpr int64_t kAlignment = 64;  // of scratch memory and tables: the longest vector's

/// What Halide says against a schedule while it lowers it. Its assertions are left out of our code,
/// so a kernel that would fail one is refused here.
class Reporter : public Halide::CompileTimeErrorReporter {
 public:
  void warning(const char* message) override {
    if (std::string_view(message).find("guaranteed to fail") != std::string_view::npos) {
      throw Halide::CompileError(message);
    }
    std::fprintf(stderr, "%s", message);
  }
  void error(const char* message) override { throw Halide::CompileError(message); }
};

/// For all threads, from the first kernel on.
void report_problems() {
  static Reporter reporter;
  static const bool is_set = [] {
    Halide::set_custom_compile_time_error_reporter(&reporter);
    return true;
  }();
  static_cast<void>(is_set);
}

Halide::Target halide_target(const Target& target) {
  Halide::Target t(target.features);
  for (const auto feature : {Halide::Target::NoRuntime, Halide::Target::NoAsserts,
                             Halide::Target::NoBoundsQuery, Halide::Target::UserContext}) {
    t.set_feature(feature);
  }
  return t;
}

/// Adds the host's parallel loop to a module that Halide made.
void link_parallel_for(llvm::Module& module) {
  llvm::SMDiagnostic error;
  const std::string text = std::string(kFrameTypes) + std::string(kParallelFor);
  std::unique_ptr<llvm::Module> part = llvm::parseAssemblyString(text, error, module.getContext());
  if (!part) throw InternalError("emit: " + error.getMessage().str());
  part->setTargetTriple(module.getTargetTriple());
  part->setDataLayout(module.getDataLayout());
  if (llvm::Linker::linkModules(module, std::move(part)))
    throw InternalError("emit: cannot link the parallel loop");
}

std::vector<llvm::CallInst*> calls_of(llvm::Module& module, const char* name) {
  std::vector<llvm::CallInst*> calls;
  if (llvm::Function* f = module.getFunction(name)) {
    for (llvm::User* user : f->users()) {
      if (auto* call = llvm::dyn_cast<llvm::CallInst>(user)) calls.push_back(call);
    }
  }
  return calls;
}

/// Turns every allocation into a fixed place in scratch memory, the kernel's own or, in the bodies
/// of parallel loops, the worker's: nothing allocates while a network runs.
Scratch place_scratch(llvm::Module& module, const std::string& label) {
  Scratch scratch_bytes;
  const llvm::Function* outside = module.getFunction(kHalideFunction);
  for (llvm::CallInst* call : calls_of(module, "halide_malloc")) {
    const auto* size = llvm::dyn_cast<llvm::ConstantInt>(call->getArgOperand(1));
    if (size == nullptr)
      throw InternalError("emit: kernel " + label + " allocates memory whose size is not constant");
    int64_t& offset =
        call->getFunction() == outside ? scratch_bytes.own_bytes : scratch_bytes.worker_bytes;
    llvm::IRBuilder<> ir(call);
    llvm::Type* bytes = ir.getInt8PtrTy();
    // The worker is { frame, scratch }.
    llvm::Value* worker = ir.CreateBitCast(call->getArgOperand(0), bytes->getPointerTo());
    llvm::Value* scratch = ir.CreateLoad(bytes, ir.CreateConstGEP1_32(bytes, worker, 1));
    call->replaceAllUsesWith(
        ir.CreateConstGEP1_64(ir.getInt8Ty(), scratch, static_cast<uint64_t>(offset)));
    call->eraseFromParent();
    offset += (size->getSExtValue() + kAlignment - 1) / kAlignment * kAlignment;
  }
  for (llvm::CallInst* call : calls_of(module, "halide_free")) call->eraseFromParent();
  return scratch_bytes;
}

/// Writes Halide's buffer descriptors on the stack of the kernel's entry.
class BufferWriter {
 public:
  BufferWriter(llvm::IRBuilder<>& ir, llvm::Type* buffer_pointer, llvm::Value* batch)
      : ir_(ir),
        buffer_(llvm::cast<llvm::StructType>(buffer_pointer->getPointerElementType())),
        batch_(batch) {}

  llvm::Value* write(const Halide::Internal::Parameter& parameter, llvm::Value* host) {
    const int rank = parameter.dimensions();
    llvm::Type* dims_pointer = buffer_->getElementType(6);
    auto* dimension = llvm::cast<llvm::StructType>(dims_pointer->getPointerElementType());
    llvm::Value* buffer = ir_.CreateAlloca(buffer_);
    llvm::Value* dims =
        ir_.CreateAlloca(dimension, ir_.getInt32(static_cast<uint32_t>(std::max(rank, 1))));
    ir_.CreateStore(llvm::Constant::getNullValue(buffer_), buffer);
    ir_.CreateStore(host, field(buffer_, buffer, 2));
    ir_.CreateStore(ir_.getInt32(static_cast<uint32_t>(rank)), field(buffer_, buffer, 5));
    ir_.CreateStore(dims, field(buffer_, buffer, 6));
    for (int d = 0; d < rank; ++d) {
      llvm::Value* at = ir_.CreateConstGEP1_32(dimension, dims, static_cast<unsigned>(d));
      ir_.CreateStore(number(parameter.min_constraint(d)), field(dimension, at, 0));
      ir_.CreateStore(number(parameter.extent_constraint(d)), field(dimension, at, 1));
      ir_.CreateStore(number(parameter.stride_constraint(d)), field(dimension, at, 2));
      ir_.CreateStore(ir_.getInt32(0), field(dimension, at, 3));
    }
    return buffer;
  }

 private:
  llvm::Value* field(llvm::StructType* type, llvm::Value* at, unsigned index) {
    return ir_.CreateStructGEP(type, at, index);
  }

  /// Every extent is a constant but the batch's.
  llvm::Value* number(const Halide::Expr& e) {
    if (!e.defined()) return ir_.getInt32(0);
    if (const int64_t* constant = Halide::Internal::as_const_int(e)) {
      return ir_.getInt32(static_cast<uint32_t>(*constant));
    }
    return batch_;
  }

  llvm::IRBuilder<>& ir_;
  llvm::StructType* buffer_;
  llvm::Value* batch_;
};

/// Adds `void symbol(frame *, void **arguments, int64_t batch)`, which calls what Halide made.
void add_entry(llvm::Module& module, const LowerContext& context, const std::string& symbol) {
  llvm::LLVMContext& c = module.getContext();
  llvm::Function* body = module.getFunction(kHalideFunction);
  llvm::IRBuilder<> ir(c);
  llvm::Type* bytes = ir.getInt8PtrTy();
  auto* type = llvm::FunctionType::get(ir.getVoidTy(),
                                       {bytes, bytes->getPointerTo(), ir.getInt64Ty()}, false);
  auto* entry = llvm::Function::Create(type, llvm::GlobalValue::LinkOnceODRLinkage, symbol, module);
  entry->setComdat(module.getOrInsertComdat(symbol));
  entry->setVisibility(llvm::GlobalValue::HiddenVisibility);
  entry->addFnAttr(llvm::Attribute::NoUnwind);
  for (const char* name : {"target-cpu", "target-features"}) {
    if (body->hasFnAttribute(name)) entry->addFnAttr(body->getFnAttribute(name));
  }
  ir.SetInsertPoint(llvm::BasicBlock::Create(c, "entry", entry));
  llvm::Value* frame = entry->getArg(0);
  llvm::Value* arguments = entry->getArg(1);
  llvm::Value* batch = ir.CreateTrunc(entry->getArg(2), ir.getInt32Ty());

  llvm::Value* worker = ir.CreateAlloca(bytes, ir.getInt32(2));
  ir.CreateStore(frame, worker);
  auto* frame_type = llvm::StructType::getTypeByName(c, "halcyon.frame");
  llvm::Value* typed = ir.CreateBitCast(frame, frame_type->getPointerTo());
  llvm::Value* own = ir.CreateLoad(bytes, ir.CreateStructGEP(frame_type, typed, 4));
  ir.CreateStore(own, ir.CreateConstGEP1_32(bytes, worker, 1));

  std::vector<llvm::Value*> list = {ir.CreateBitCast(worker, bytes)};
  unsigned next = 0;
  const auto buffer = [&](const Halide::Internal::Parameter& parameter, int64_t offset_bytes) {
    llvm::Value* host = ir.CreateLoad(bytes, ir.CreateConstGEP1_32(bytes, arguments, next++));
    host = ir.CreateConstGEP1_64(ir.getInt8Ty(), host, static_cast<uint64_t>(offset_bytes));
    llvm::Type* expected = body->getArg(static_cast<unsigned>(list.size()))->getType();
    list.push_back(BufferWriter(ir, expected, batch).write(parameter, host));
  };
  for (const Halide::ImageParam& im : context.images_in_order()) buffer(im.parameter(), 0);
  list.push_back(batch);
  const Halide::Func& out = context.output();
  std::size_t output = 0;
  for (const Halide::OutputImageParam& im : out.output_buffers()) {
    buffer(im.parameter(), context.output_offset_bytes(output++));
  }
  ir.CreateCall(body, list);
  ir.CreateRetVoid();
}

/// Halide numbers its names through the life of a process: new names make equal kernels equal
/// bytes.
void hide_everything_but(llvm::Module& module, const std::string& symbol) {
  for (llvm::Function& f : module) {
    if (!f.isDeclaration() && f.getName() != symbol) {
      f.setLinkage(llvm::GlobalValue::InternalLinkage);
      f.setComdat(nullptr);
      f.setName("part");
    }
  }
  for (llvm::GlobalVariable& g : module.globals()) {
    if (g.isDeclaration()) continue;
    g.setLinkage(llvm::GlobalValue::InternalLinkage);
    g.setName("constant");
    // Halide loads vectors from the tables of a kernel as if they were aligned, but does not say
    // so.
    g.setAlignment(llvm::Align(kAlignment));
  }
}

void check_imports(const llvm::Module& module, const std::string& label) {
  for (const llvm::Function& f : module) {
    if (f.isDeclaration() && !f.use_empty() && f.getName().startswith("halide_")) {
      throw InternalError("emit: kernel " + label + " needs " + f.getName().str() +
                          ", which nothing provides");
    }
  }
}

}  // namespace

std::string kernel_symbol(const KernelSpec& spec) {
  return "halcyon_k_" + hash_text(std::string(kBuildId) + "\n" + spec.text());
}

KernelObject compile_kernel(const KernelSpec& spec) try {
  report_problems();
  LowerContext context(spec);
  LoweredKernel kernel = lower_kernel(context);
  const Halide::Target target = halide_target(spec.target);
  const Halide::Module lowered = kernel.pipeline.compile_to_module(
      kernel.arguments, kHalideFunction, target, Halide::LinkageType::External);
  llvm::LLVMContext llvm_context;
  std::unique_ptr<llvm::Module> module =
      Halide::compile_module_to_llvm_module(lowered, llvm_context);
  KernelObject result;
  result.symbol = kernel_symbol(spec);
  link_parallel_for(*module);
  result.scratch = place_scratch(*module, spec.label());
  add_entry(*module, context, result.symbol);
  hide_everything_but(*module, result.symbol);
  check_imports(*module, spec.label());
  std::string problem;
  llvm::raw_string_ostream problems(problem);
  if (llvm::verifyModule(*module, &problems))
    throw InternalError("emit: kernel " + spec.label() + ": " + problems.str());

  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  Halide::compile_llvm_module_to_object(*module, stream);
  const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
  result.object.assign(data, data + bytes.size());
  return result;
} catch (const Halide::Error& e) {
  throw InternalError("kernel " + spec.label() + " (" + to_string(spec.choice) + "): " + e.what(),
                      "this is a bug in halcyon, please report it");
}

}  // namespace halcyon::compiler
