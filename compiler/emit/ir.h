#pragma once
/// Small words for writing functions with LLVM's builder.

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <cstdint>
#include <string>
#include <vector>

namespace halcyon::compiler {

/// A builder that knows the types entry functions need.
class Ir {
 public:
  explicit Ir(llvm::Module& module) : module(module), b(module.getContext()) {
    void_type = b.getVoidTy();
    i1 = b.getInt1Ty();
    i32 = b.getInt32Ty();
    i64 = b.getInt64Ty();
    f32 = b.getFloatTy();
    pointer = b.getInt8PtrTy();
  }

  llvm::Module& module;
  llvm::IRBuilder<> b;
  llvm::Type *void_type, *i1, *i32, *i64, *f32;
  llvm::PointerType* pointer;  ///< all pointers are byte pointers

  llvm::Value* number(int64_t value) { return b.getInt64(static_cast<uint64_t>(value)); }
  llvm::Constant* constant(int64_t value) { return b.getInt64(static_cast<uint64_t>(value)); }
  llvm::Constant* constant32(int64_t value) { return b.getInt32(static_cast<uint32_t>(value)); }

  llvm::Value* at(llvm::Value* base, llvm::Value* offset_bytes) {
    return b.CreateGEP(b.getInt8Ty(), base, offset_bytes);
  }
  llvm::Value* at(llvm::Value* base, int64_t offset_bytes) {
    return at(base, number(offset_bytes));
  }
  llvm::Value* load(llvm::Type* type, llvm::Value* base, int64_t offset_bytes = 0) {
    return b.CreateLoad(type, b.CreateBitCast(at(base, offset_bytes), type->getPointerTo()));
  }
  void store(llvm::Value* value, llvm::Value* base, int64_t offset_bytes = 0) {
    b.CreateStore(value, b.CreateBitCast(at(base, offset_bytes), value->getType()->getPointerTo()));
  }
  llvm::Value* is_null(llvm::Value* p) {
    return b.CreateICmpEQ(p, llvm::ConstantPointerNull::get(pointer));
  }

  /// Begins a function; the builder then stands in its first block.
  llvm::Function* function(const std::string& name, llvm::Type* result,
                           const std::vector<llvm::Type*>& arguments, bool exported) {
    auto* type = llvm::FunctionType::get(result, arguments, false);
    auto* f = llvm::Function::Create(
        type, exported ? llvm::GlobalValue::ExternalLinkage : llvm::GlobalValue::InternalLinkage,
        name, module);
    f->addFnAttr(llvm::Attribute::NoUnwind);
    b.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "entry", f));
    return f;
  }

  /// Runs `body(i)` for i in [0, count).
  template <class Body>
  void for_each(llvm::Value* count, const Body& body) {
    llvm::Function* f = b.GetInsertBlock()->getParent();
    llvm::LLVMContext& c = module.getContext();
    llvm::BasicBlock* before = b.GetInsertBlock();
    auto* head = llvm::BasicBlock::Create(c, "head", f);
    auto* inside = llvm::BasicBlock::Create(c, "body", f);
    auto* behind = llvm::BasicBlock::Create(c, "behind", f);
    b.CreateBr(head);
    b.SetInsertPoint(head);
    llvm::PHINode* i = b.CreatePHI(i64, 2);
    i->addIncoming(number(0), before);
    b.CreateCondBr(b.CreateICmpSLT(i, count), inside, behind);
    b.SetInsertPoint(inside);
    body(static_cast<llvm::Value*>(i));
    i->addIncoming(b.CreateAdd(i, number(1)), b.GetInsertBlock());
    b.CreateBr(head);
    b.SetInsertPoint(behind);
  }

  /// Runs `body` where `condition` holds.
  template <class Body>
  void if_true(llvm::Value* condition, const Body& body) {
    llvm::Function* f = b.GetInsertBlock()->getParent();
    auto* inside = llvm::BasicBlock::Create(module.getContext(), "then", f);
    auto* behind = llvm::BasicBlock::Create(module.getContext(), "behind", f);
    b.CreateCondBr(condition, inside, behind);
    b.SetInsertPoint(inside);
    body();
    if (b.GetInsertBlock()->getTerminator() == nullptr) b.CreateBr(behind);
    b.SetInsertPoint(behind);
  }
};

}  // namespace halcyon::compiler
