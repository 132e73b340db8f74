#include "compiler/emit/step.h"

#include <algorithm>
#include <cstddef>

#include "compiler/emit/frame.h"
#include "compiler/lower/hyper.h"
#include "compiler/lower/kernel_spec.h"
#include "compiler/reference/interpreter.h"
#include "compiler/reference/stored.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

constexpr int64_t kMostBatch = 1 << 20;
constexpr int64_t kMostWorkers = 1024;
constexpr int64_t kFloatBytes = 4;
/// Stands in front of what was prepared; no other bytes that a host may leave there are likely to.
constexpr int64_t kUpToDate = 0x68616c63796f6e21;

/// MemoryPlan::workspace_bytes of a batch that is known when the network runs.
llvm::Value* value_bytes(Ir& ir, const MemoryPlan& memory, llvm::Value* batch) {
  auto& b = ir.b;
  llvm::Value* values = b.CreateAdd(ir.number(memory.fixed_bytes),
                                    b.CreateMul(batch, ir.number(memory.per_sample_bytes)));
  llvm::Value* prepare = ir.number(memory.prepare_bytes);
  return b.CreateSelect(b.CreateICmpULT(values, prepare), prepare, values);
}

class StepEmitter {
 public:
  StepEmitter(Ir& ir, const Interface& interface, const EntryPlan& plan)
      : ir_(ir), interface_(interface), plan_(plan) {}

  void begin_prepare(const std::string& name) {
    function_ = ir_.function(name, ir_.i32, {ir_.pointer, ir_.pointer}, true);
    context_ = argument(0, "context");
    parameters_ = argument(1, "parameters");
    batch_ = ir_.number(1);
  }

  void begin_infer(const std::string& name) {
    function_ = ir_.function(name, ir_.i32,
                             {ir_.pointer, ir_.i64, ir_.pointer, ir_.pointer, ir_.pointer}, true);
    context_ = argument(0, "context");
    batch_ = argument(1, "batch");
    parameters_ = argument(2, "parameters");
    inputs_ = argument(3, "inputs");
    outputs_ = argument(4, "outputs");
  }

  void begin_train_step(const std::string& name) {
    function_ = ir_.function(name, ir_.i32,
                             {ir_.pointer, ir_.i64, ir_.pointer, ir_.pointer, ir_.pointer,
                              ir_.pointer, ir_.pointer, ir_.pointer, ir_.pointer},
                             true);
    context_ = argument(0, "context");
    batch_ = argument(1, "batch");
    parameters_ = argument(2, "parameters");
    state_ = argument(3, "state");
    inputs_ = argument(4, "inputs");
    targets_ = argument(5, "targets");
    hyper_ = argument(6, "hyper");
    losses_ = argument(7, "losses");
    outputs_ = argument(8, "outputs");
  }

  void check_prepare() { check_blocks(); }

  void check_infer() {
    check_blocks();
    check_pointers({inputs_, outputs_});
    check_list(inputs_, interface_.inputs.size());
    check_list(outputs_, interface_.outputs.size());
  }

  void check_prepared() {
    if (interface_.prepared_bytes == 0) return;
    llvm::Value* word = ir_.load(ir_.i64, parameters_, interface_.parameter_bytes);
    fail_if(ir_.b.CreateICmpNE(word, ir_.number(kUpToDate)), HALCYON_NOT_PREPARED);
  }

  void check_train_step() {
    check_blocks();
    check_pointers({inputs_, hyper_, losses_});
    if (interface_.state_bytes > 0) check_pointers({state_});
    if (!interface_.targets.empty()) check_pointers({targets_});
    check_list(inputs_, interface_.inputs.size());
    check_list(targets_, interface_.targets.size());
  }

  void check_sizes(llvm::Function* workspace_bytes) {
    auto& b = ir_.b;
    const auto outside = [&](llvm::Value* v, int64_t most) {
      return b.CreateICmpUGT(b.CreateSub(v, ir_.number(1)), ir_.number(most - 1));
    };
    fail_if(outside(batch_, most_batch()), HALCYON_BATCH_OUT_OF_RANGE);
    llvm::Value* workers = ir_.load(ir_.i32, context_, offsetof(halcyon_context, workers));
    fail_if(outside(b.CreateSExt(workers, ir_.i64), kMostWorkers), HALCYON_BAD_WORKERS);
    workspace_ = ir_.load(ir_.pointer, context_, offsetof(halcyon_context, workspace));
    if (needs_workspace()) fail_if(ir_.is_null(workspace_), HALCYON_NULL_ARGUMENT);
    const auto misaligned = [&](llvm::Value* p) {
      return b.CreateICmpNE(
          b.CreateAnd(b.CreatePtrToInt(p, ir_.i64), ir_.number(HALCYON_ALIGNMENT - 1)),
          ir_.number(0));
    };
    fail_if(misaligned(workspace_), HALCYON_MISALIGNED);
    fail_if(misaligned(parameters_), HALCYON_MISALIGNED);
    if (state_ != nullptr && interface_.state_bytes > 0)
      fail_if(misaligned(state_), HALCYON_MISALIGNED);
    llvm::Value* given = ir_.load(ir_.i64, context_, offsetof(halcyon_context, workspace_bytes));
    llvm::Value* needed = b.CreateCall(workspace_bytes, {batch_, workers});
    fail_if(b.CreateICmpULT(given, needed), HALCYON_WORKSPACE_TOO_SMALL);
  }

  void check_labels() {
    auto& b = ir_.b;
    for (std::size_t i = 0; i < interface_.targets.size(); ++i) {
      const HostValue& target = interface_.targets[i];
      if (target.classes == 0) continue;
      llvm::Value* labels = ir_.load(ir_.pointer, targets_, static_cast<int64_t>(8 * i));
      llvm::Value* bad = b.CreateAlloca(ir_.i32);
      b.CreateStore(ir_.constant32(0), bad);
      ir_.for_each(batch_, [&](llvm::Value* n) {
        llvm::Value* label = ir_.load(ir_.i32, ir_.at(labels, b.CreateMul(n, ir_.number(4))));
        llvm::Value* wrong =
            b.CreateZExt(b.CreateICmpUGE(label, ir_.constant32(target.classes)), ir_.i32);
        b.CreateStore(b.CreateOr(b.CreateLoad(ir_.i32, bad), wrong), bad);
      });
      fail_if(b.CreateICmpNE(b.CreateLoad(ir_.i32, bad), ir_.constant32(0)),
              HALCYON_LABEL_OUT_OF_RANGE);
    }
  }

  void run_kernels() {
    make_frame();
    if (hyper_ != nullptr) {
      prepare_hyper();
      prepare_step();
    }
    std::size_t most = 1;
    for (const Region& region : plan_.program->regions)
      most = std::max(most, region.inputs.size() + region.outputs.size() + 8);
    arguments_ = ir_.b.CreateAlloca(ir_.pointer, ir_.constant(static_cast<int64_t>(most)));
    const std::size_t prepare = plan_.program->prepare_regions;
    const bool prepares = inputs_ == nullptr;
    const std::size_t first = prepares ? 0 : prepare;
    const std::size_t end = prepares ? prepare : plan_.program->regions.size();
    for (std::size_t r = first; r < end; ++r) run_kernel(r);
    if (prepares) mark_prepared(ir_, interface_, parameters_, true);
    ir_.b.CreateRet(ir_.constant32(HALCYON_OK));
  }

  void forget_prepared() { mark_prepared(ir_, interface_, parameters_, false); }

  llvm::Function* function() { return function_; }

 private:
  /// The largest batch of which no value has more elements than kernels can count.
  int64_t most_batch() const {
    int64_t most = 1;
    for (const auto& [v, layout] : plan_.program->layouts)
      most = std::max(most, layout.sample_stride());
    return std::clamp(kMaxElements / most, int64_t{1}, kMostBatch);
  }

  llvm::Value* argument(unsigned index, const char* name) {
    llvm::Argument* a = function_->getArg(index);
    a->setName(name);
    return a;
  }

  void fail_if(llvm::Value* condition, halcyon_status status) {
    ir_.if_true(condition, [&] { ir_.b.CreateRet(ir_.constant32(status)); });
  }

  /// A block without bytes may be NULL.
  void check_blocks() {
    check_pointers({context_});
    if (interface_.parameter_bytes > 0) check_pointers({parameters_});
  }

  bool needs_workspace() const { return plan_.workspace_bytes(1, 1) > 0; }

  void check_pointers(const std::vector<llvm::Value*>& needed) {
    for (llvm::Value* p : needed) fail_if(ir_.is_null(p), HALCYON_NULL_ARGUMENT);
  }

  void check_list(llvm::Value* list, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      fail_if(ir_.is_null(ir_.load(ir_.pointer, list, static_cast<int64_t>(8 * i))),
              HALCYON_NULL_ARGUMENT);
    }
  }

  /// The order in the workspace is that of EntryPlan::workspace_bytes.
  void make_frame() {
    auto& b = ir_.b;
    const MemoryPlan& memory = plan_.program->memory;
    per_batch_ = ir_.at(workspace_, memory.fixed_bytes);
    llvm::Value* scratch = ir_.at(workspace_, value_bytes(ir_, memory, batch_));
    frame_ = b.CreateAlloca(ir_.i64, ir_.constant(sizeof(Frame) / sizeof(int64_t)));
    frame_ = b.CreateBitCast(frame_, ir_.pointer);
    ir_.store(ir_.load(ir_.pointer, context_, offsetof(halcyon_context, parallel_for)), frame_,
              offsetof(Frame, parallel_for));
    ir_.store(ir_.load(ir_.pointer, context_, offsetof(halcyon_context, pool)), frame_,
              offsetof(Frame, pool));
    ir_.store(scratch, frame_, offsetof(Frame, own_scratch));
    ir_.store(ir_.at(scratch, plan_.scratch.own_bytes), frame_, offsetof(Frame, scratch));
    ir_.store(ir_.number(plan_.scratch.worker_bytes), frame_, offsetof(Frame, scratch_stride));
  }

  void prepare_step() {
    auto& b = ir_.b;
    step_numbers_ = b.CreateBitCast(b.CreateAlloca(ir_.i64, ir_.constant(2)), ir_.pointer);
    ir_.store(ir_.load(ir_.i64, hyper_, offsetof(halcyon_hyper, seed)), step_numbers_, 0);
    ir_.store(ir_.load(ir_.i64, hyper_, offsetof(halcyon_hyper, step)), step_numbers_, 8);
  }

  void prepare_hyper() {
    auto& b = ir_.b;
    prepared_ = b.CreateBitCast(b.CreateAlloca(ir_.f32, ir_.constant(kHyperCount)), ir_.pointer);
    const auto copy = [&](Hyper number, int64_t offset) {
      ir_.store(ir_.load(ir_.f32, hyper_, offset), prepared_, kFloatBytes * number);
    };
    copy(kLearningRate, offsetof(halcyon_hyper, learning_rate));
    copy(kMomentum, offsetof(halcyon_hyper, momentum));
    copy(kBeta2, offsetof(halcyon_hyper, beta2));
    copy(kEpsilon, offsetof(halcyon_hyper, epsilon));
    copy(kWeightDecay, offsetof(halcyon_hyper, weight_decay));

    llvm::Value* step =
        b.CreateSIToFP(ir_.load(ir_.i64, hyper_, offsetof(halcyon_hyper, step)), b.getDoubleTy());
    llvm::FunctionCallee pow = ir_.module.getOrInsertFunction(
        "pow", llvm::FunctionType::get(b.getDoubleTy(), {b.getDoubleTy(), b.getDoubleTy()}, false));
    const auto correct = [&](Hyper number, Hyper beta) {
      llvm::Value* value = llvm::ConstantFP::get(ir_.f32, 1.0);
      if (interface_.optimizer == HALCYON_ADAM) {
        llvm::Value* base =
            b.CreateFPExt(ir_.load(ir_.f32, prepared_, kFloatBytes * beta), b.getDoubleTy());
        llvm::Value* power = b.CreateCall(pow, {base, step});
        value = b.CreateFPTrunc(b.CreateFSub(llvm::ConstantFP::get(b.getDoubleTy(), 1.0), power),
                                ir_.f32);
      }
      ir_.store(value, prepared_, kFloatBytes * number);
    };
    correct(kCorrection1, kMomentum);
    correct(kCorrection2, kBeta2);
  }

  llvm::Value* address(Value v) {
    llvm::Value* buffer = buffer_address(v);
    const auto layout = plan_.program->layouts.find(v);
    if (layout == plan_.program->layouts.end() || layout->second.first_block == 0) return buffer;
    return ir_.at(buffer, layout->second.first_element() * size_bytes(layout->second.dtype));
  }

  llvm::Value* buffer_address(Value v) {
    const Place& place = plan_.program->memory.places.at(v);
    const auto inputs = static_cast<int64_t>(interface_.inputs.size());
    switch (place.storage) {
      case Storage::host_input:
        return place.index < inputs ? ir_.load(ir_.pointer, inputs_, 8 * place.index)
                                    : ir_.load(ir_.pointer, targets_, 8 * (place.index - inputs));
      case Storage::host_output: return ir_.load(ir_.pointer, outputs_, 8 * place.index);
      case Storage::loss: return ir_.at(losses_, 4 * place.index);
      case Storage::constant: return constant_address(v);
      case Storage::parameter: return ir_.at(parameters_, place.offset_bytes);
      case Storage::workspace:
        return ir_.at(per_batch_, ir_.b.CreateMul(batch_, ir_.number(place.offset_bytes)));
      case Storage::fixed: return ir_.at(workspace_, place.offset_bytes);
    }
    return nullptr;
  }

  /// Constants lie beside the code, in the form in which kernels read them.
  llvm::Value* constant_address(Value v) {
    const Program& program = *plan_.program;
    const WeightLayout& layout = program.weights.at(v);
    std::vector<std::byte> bytes(static_cast<std::size_t>(layout.bytes()));
    const auto& constant = std::get<ops::Constant>(program.graph.node(v).op);
    store(value_of(program.graph, constant), layout, bytes.data());
    const llvm::StringRef text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    llvm::Constant* data =
        llvm::ConstantDataArray::getString(ir_.module.getContext(), text, /*AddNull=*/false);
    auto* global =
        new llvm::GlobalVariable(ir_.module, data->getType(), true,
                                 llvm::GlobalValue::PrivateLinkage, data, "halcyon.constant");
    global->setAlignment(llvm::Align(HALCYON_ALIGNMENT));
    global->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);  // equal ones become one
    return llvm::ConstantExpr::getBitCast(global, ir_.pointer);
  }

  llvm::Value* address(const KernelArgument& argument) {
    switch (argument.kind) {
      case KernelArgument::Kind::value: return address(argument.value);
      case KernelArgument::Kind::parameters: return parameters_;
      case KernelArgument::Kind::gradients:
        return ir_.at(workspace_, plan_.program->memory.gradient_offset);
      case KernelArgument::Kind::state:
        return ir_.at(state_, argument.slot * interface_.parameter_bytes);
      case KernelArgument::Kind::hyper: return prepared_;
      case KernelArgument::Kind::step: return step_numbers_;
    }
    return nullptr;
  }

  void run_kernel(std::size_t r) {
    const Region& region = plan_.program->regions[r];
    // A training step's outputs are optional: one that is not wanted is not written.
    const bool optional =
        hyper_ != nullptr && region.outputs.size() == 1 &&
        plan_.program->memory.places.at(region.outputs[0]).storage == Storage::host_output;
    if (!optional) return call_kernel(r);
    ir_.if_true(ir_.b.CreateNot(ir_.is_null(outputs_)), [&] {
      ir_.if_true(ir_.b.CreateNot(ir_.is_null(address(region.outputs[0]))),
                  [&] { call_kernel(r); });
    });
  }

  void call_kernel(std::size_t r) {
    const KernelArguments list = kernel_arguments(*plan_.program, plan_.program->regions[r]);
    unsigned next = 0;
    for (const auto* side : {&list.inputs, &list.outputs}) {
      for (const KernelArgument& argument : *side) {
        ir_.b.CreateStore(address(argument),
                          ir_.b.CreateConstGEP1_32(ir_.pointer, arguments_, next++));
      }
    }
    for (const KernelArgument& argument : list.outputs) zero_halo(argument);
    llvm::FunctionCallee kernel = ir_.module.getOrInsertFunction(
        plan_.kernels[r],
        llvm::FunctionType::get(ir_.void_type, {ir_.pointer, ir_.pointer->getPointerTo(), ir_.i64},
                                false));
    llvm::cast<llvm::Function>(kernel.getCallee())
        ->setVisibility(llvm::GlobalValue::HiddenVisibility);
    ir_.b.CreateCall(kernel, {frame_, arguments_, batch_});
  }

  /// Kernels write the inside of a map; the border of zeros around it is set here.
  void zero_halo(const KernelArgument& argument) {
    const auto it = plan_.program->layouts.find(argument.value);
    if (argument.kind != KernelArgument::Kind::value || it == plan_.program->layouts.end()) return;
    const Layout& layout = it->second;
    if (!layout.has_halo()) return;
    auto& b = ir_.b;
    llvm::Value* base = address(argument.value);
    const auto times = [&](llvm::Value* count, int64_t elements) {
      return b.CreateMul(count, ir_.number(elements * kFloatBytes));
    };
    ir_.for_each(batch_, [&](llvm::Value* n) {
      llvm::Value* sample = ir_.at(base, times(n, layout.sample_stride()));
      ir_.for_each(ir_.number(layout.blocks()), [&](llvm::Value* map) {
        zero_border(layout, 0, ir_.at(sample, times(map, layout.block_stride())));
      });
    });
  }

  /// The borders of `axis` as whole slices, those of the inner axes within each slice between them.
  void zero_border(const Layout& layout, int axis, llvm::Value* at) {
    auto& b = ir_.b;
    const auto a = static_cast<std::size_t>(axis);
    const int64_t slice_bytes = layout.spatial_stride(axis) * kFloatBytes;
    const int64_t inside = layout.shape.spatial(axis);
    const auto zero = [&](int64_t first, int64_t count) {
      if (count == 0) return;
      b.CreateMemSet(ir_.at(at, first * slice_bytes), b.getInt8(0),
                     static_cast<uint64_t>(count * slice_bytes), llvm::MaybeAlign(kFloatBytes));
    };
    zero(0, layout.before[a]);
    zero(layout.before[a] + inside, layout.after[a]);
    bool more = false;
    for (std::size_t inner = a + 1; inner < layout.before.size(); ++inner) {
      more = more || layout.before[inner] > 0 || layout.after[inner] > 0;
    }
    if (!more) return;
    ir_.for_each(ir_.number(inside), [&](llvm::Value* i) {
      llvm::Value* slice = b.CreateAdd(i, ir_.number(layout.before[a]));
      zero_border(layout, axis + 1, ir_.at(at, b.CreateMul(slice, ir_.number(slice_bytes))));
    });
  }

  Ir& ir_;
  const Interface& interface_;
  const EntryPlan& plan_;
  llvm::Function* function_ = nullptr;
  llvm::Value *context_ = nullptr, *batch_ = nullptr, *parameters_ = nullptr, *state_ = nullptr,
              *inputs_ = nullptr, *targets_ = nullptr, *hyper_ = nullptr, *losses_ = nullptr,
              *outputs_ = nullptr;
  llvm::Value *workspace_ = nullptr, *per_batch_ = nullptr, *frame_ = nullptr, *prepared_ = nullptr,
              *step_numbers_ = nullptr, *arguments_ = nullptr;
};

}  // namespace

llvm::Function* emit_workspace_bytes(Ir& ir, const std::string& name, const EntryPlan& plan) {
  llvm::Function* f = ir.function(name, ir.i64, {ir.i64, ir.i32}, true);
  auto& b = ir.b;
  llvm::Value* values = value_bytes(ir, plan.program->memory, f->getArg(0));
  llvm::Value* scratch =
      b.CreateMul(b.CreateSExt(f->getArg(1), ir.i64), ir.number(plan.scratch.worker_bytes));
  b.CreateRet(b.CreateAdd(b.CreateAdd(values, scratch), ir.number(plan.scratch.own_bytes)));
  return f;
}

void mark_prepared(Ir& ir, const Interface& interface, llvm::Value* parameters, bool up_to_date) {
  if (interface.prepared_bytes == 0) return;
  ir.store(ir.number(up_to_date ? kUpToDate : 0), parameters, interface.parameter_bytes);
}

llvm::Function* emit_prepare(Ir& ir, const std::string& name, const Interface& interface,
                             const EntryPlan& plan, llvm::Function* workspace_bytes) {
  StepEmitter emitter(ir, interface, plan);
  emitter.begin_prepare(name);
  emitter.check_prepare();
  emitter.check_sizes(workspace_bytes);
  emitter.run_kernels();
  return emitter.function();
}

llvm::Function* emit_infer(Ir& ir, const std::string& name, const Interface& interface,
                           const EntryPlan& plan, llvm::Function* workspace_bytes) {
  StepEmitter emitter(ir, interface, plan);
  emitter.begin_infer(name);
  emitter.check_infer();
  emitter.check_sizes(workspace_bytes);
  emitter.check_prepared();
  emitter.run_kernels();
  return emitter.function();
}

llvm::Function* emit_train_step(Ir& ir, const std::string& name, const Interface& interface,
                                const EntryPlan& plan, llvm::Function* workspace_bytes) {
  StepEmitter emitter(ir, interface, plan);
  emitter.begin_train_step(name);
  emitter.check_train_step();
  emitter.check_sizes(workspace_bytes);
  emitter.check_labels();
  emitter.forget_prepared();
  emitter.run_kernels();
  return emitter.function();
}

}  // namespace halcyon::compiler
