#include "compiler/emit/tables.h"

#include "compiler/emit/step.h"

namespace halcyon::compiler {

namespace {

/// Builds constants field by field, as a C compiler would lay the struct out.
class TableBuilder {
 public:
  explicit TableBuilder(Ir& ir) : ir_(ir) {}

  llvm::Constant* text(const std::string& s) {
    auto* data = llvm::ConstantDataArray::getString(ir_.module.getContext(), s);
    return pointer_to(data, "text");
  }

  llvm::Constant* pointer_to(llvm::Constant* data, const char* name) {
    auto* global = new llvm::GlobalVariable(ir_.module, data->getType(), true,
                                            llvm::GlobalValue::PrivateLinkage, data,
                                            std::string("halcyon.") + name);
    return llvm::ConstantExpr::getBitCast(global, ir_.pointer);
  }

  llvm::Constant* record(const std::vector<llvm::Constant*>& fields) {
    return llvm::ConstantStruct::getAnon(ir_.module.getContext(), fields);
  }

  /// A pointer to an array of records or pointers; NULL when it is empty.
  llvm::Constant* array(const std::vector<llvm::Constant*>& items, const char* name) {
    if (items.empty()) return llvm::ConstantPointerNull::get(ir_.pointer);
    auto* type = llvm::ArrayType::get(items[0]->getType(), items.size());
    return pointer_to(llvm::ConstantArray::get(type, items), name);
  }

  llvm::Constant* extents(const std::vector<int64_t>& list) {
    std::vector<uint64_t> padded(HALCYON_MAX_RANK, 0);
    for (std::size_t i = 0; i < list.size(); ++i) padded[i] = static_cast<uint64_t>(list[i]);
    return llvm::ConstantDataArray::get(ir_.module.getContext(), padded);
  }

  llvm::Constant* address(llvm::Function* f) {
    if (f == nullptr) return llvm::ConstantPointerNull::get(ir_.pointer);
    return llvm::ConstantExpr::getBitCast(f, ir_.pointer);
  }

 private:
  Ir& ir_;
};

llvm::Constant* value_record(Ir& ir, TableBuilder& table, const HostValue& v) {
  const int dtype = v.dtype == DType::i32 ? HALCYON_I32 : HALCYON_F32;
  return table.record({table.text(v.name), ir.constant32(dtype),
                       ir.constant32(static_cast<int64_t>(v.extents.size())),
                       table.extents(v.extents), table.text(v.axes), ir.constant(v.elements),
                       ir.constant(v.classes)});
}

llvm::Constant* parameter_record(Ir& ir, TableBuilder& table, const Interface& interface,
                                 const HostParameter& p) {
  std::vector<int64_t> extents;
  for (int axis = 0; axis < p.shape.rank; ++axis) extents.push_back(p.shape[axis]);
  llvm::Constant* values = llvm::ConstantPointerNull::get(ir.pointer);
  if (p.definition.init == dsl::ops::InitKind::values) {
    const std::vector<float>& given =
        interface.constants.at(static_cast<std::size_t>(p.definition.values));
    values =
        table.pointer_to(llvm::ConstantDataArray::get(ir.module.getContext(), given), "values");
  }
  return table.record({table.text(p.name), ir.constant32(p.shape.rank), table.extents(extents),
                       ir.constant(p.shape.elements()), ir.constant(p.place.offset_bytes),
                       ir.constant(p.place.size_bytes),
                       ir.constant32(static_cast<int>(p.definition.init)),
                       llvm::ConstantFP::get(ir.f32, static_cast<double>(p.definition.scale)),
                       values, ir.constant32(p.definition.trainable ? 1 : 0)});
}

/// One row of numbers for each parameter: what moving it needs.
enum Row {
  kFilters,
  kFilterBlock,
  kFilterBlockStride,
  kChannels,
  kBlock,
  kBlockStride,
  kExtent0,
  kStride0,  // three pairs, outermost axis first; an axis that is not there has extent 1
  kHaloOffset = kExtent0 + 6,
  kOffsetBytes,
  kPackedBytes,
  kRowLength
};

std::vector<uint64_t> packing_row(const HostParameter& p) {
  const Layout& sample = p.layout.sample;
  std::vector<int64_t> row(kRowLength, 0);
  row[kFilters] = p.layout.filters;
  row[kFilterBlock] = p.layout.filter_block;
  row[kFilterBlockStride] = p.layout.filter_block_stride();
  row[kChannels] = sample.channels();
  row[kBlock] = sample.block;
  row[kBlockStride] = sample.block_stride();
  for (int axis = 0; axis < 3; ++axis) {
    const bool exists = axis < sample.spatial_rank();
    const std::size_t pair = 2 * static_cast<std::size_t>(axis);
    row[kExtent0 + pair] = exists ? sample.shape.spatial(axis) : 1;
    row[kStride0 + pair] = exists ? sample.spatial_stride(axis) : 0;
    if (exists) row[kHaloOffset] += sample.halo(axis) * sample.spatial_stride(axis);
  }
  row[kOffsetBytes] = p.place.offset_bytes;
  row[kPackedBytes] = p.place.size_bytes;
  return {row.begin(), row.end()};
}

/// for filter, channel, z, y, x in canonical order: body(canonical element, packed element)
template <class Body>
void for_each_element(Ir& ir, llvm::Value* row, const Body& body) {
  auto& b = ir.b;
  const auto of = [&](int field) { return ir.load(ir.i64, row, 8 * field); };
  llvm::Value* block = of(kBlock);
  llvm::Value* filter_block = of(kFilterBlock);
  llvm::Value* channels = of(kChannels);
  llvm::Value* extents[3] = {of(kExtent0), of(kExtent0 + 2), of(kExtent0 + 4)};
  ir.for_each(of(kFilters), [&](llvm::Value* k) {
    llvm::Value* filter =
        b.CreateAdd(b.CreateMul(b.CreateUDiv(k, filter_block), of(kFilterBlockStride)),
                    b.CreateURem(k, filter_block));
    ir.for_each(channels, [&](llvm::Value* c) {
      llvm::Value* channel = b.CreateAdd(b.CreateMul(b.CreateUDiv(c, block), of(kBlockStride)),
                                         b.CreateURem(c, block));
      channel = b.CreateAdd(channel, of(kHaloOffset));
      llvm::Value* outer = b.CreateAdd(b.CreateMul(k, channels), c);
      ir.for_each(extents[0], [&](llvm::Value* z) {
        ir.for_each(extents[1], [&](llvm::Value* y) {
          ir.for_each(extents[2], [&](llvm::Value* x) {
            llvm::Value* canonical = outer;
            llvm::Value* element = channel;
            llvm::Value* position[3] = {z, y, x};
            for (int axis = 0; axis < 3; ++axis) {
              canonical = b.CreateAdd(b.CreateMul(canonical, extents[axis]), position[axis]);
              element = b.CreateAdd(element, b.CreateMul(position[axis], of(kStride0 + 2 * axis)));
            }
            body(canonical, b.CreateAdd(b.CreateMul(element, filter_block), filter));
          });
        });
      });
    });
  });
}

}  // namespace

void emit_packing(Ir& ir, const Interface& interface, EntryFunctions& functions) {
  TableBuilder table(ir);
  std::vector<llvm::Constant*> rows;
  for (const HostParameter& p : interface.parameters) {
    const std::vector<uint64_t> row = packing_row(p);
    rows.push_back(llvm::ConstantDataArray::get(ir.module.getContext(), row));
  }
  llvm::Constant* all = table.array(rows, "packing");
  auto& b = ir.b;
  const auto row_of = [&](llvm::Value* parameter) {
    return ir.at(all, b.CreateMul(b.CreateSExt(parameter, ir.i64), ir.number(8 * kRowLength)));
  };
  const auto float_at = [&](llvm::Value* base, llvm::Value* element) {
    return ir.at(base, b.CreateMul(element, ir.number(4)));
  };

  functions.pack =
      ir.function(interface.name + "_pack", ir.void_type, {ir.i32, ir.pointer, ir.pointer}, true);
  {
    llvm::Value* row = row_of(functions.pack->getArg(0));
    llvm::Value* canonical = functions.pack->getArg(1);
    llvm::Value* packed = ir.at(functions.pack->getArg(2), ir.load(ir.i64, row, 8 * kOffsetBytes));
    b.CreateMemSet(packed, b.getInt8(0), ir.load(ir.i64, row, 8 * kPackedBytes),
                   llvm::MaybeAlign(4));
    mark_prepared(ir, interface, functions.pack->getArg(2), false);
    for_each_element(ir, row, [&](llvm::Value* from, llvm::Value* to) {
      ir.store(ir.load(ir.f32, float_at(canonical, from)), float_at(packed, to));
    });
    b.CreateRetVoid();
  }

  functions.unpack =
      ir.function(interface.name + "_unpack", ir.void_type, {ir.i32, ir.pointer, ir.pointer}, true);
  {
    llvm::Value* row = row_of(functions.unpack->getArg(0));
    llvm::Value* packed =
        ir.at(functions.unpack->getArg(1), ir.load(ir.i64, row, 8 * kOffsetBytes));
    llvm::Value* canonical = functions.unpack->getArg(2);
    for_each_element(ir, row, [&](llvm::Value* to, llvm::Value* from) {
      ir.store(ir.load(ir.f32, float_at(packed, from)), float_at(canonical, to));
    });
    b.CreateRetVoid();
  }
}

void emit_network_table(Ir& ir, const Interface& interface, const EntryFunctions& functions) {
  TableBuilder table(ir);
  const auto values = [&](const std::vector<HostValue>& list, const char* name) {
    std::vector<llvm::Constant*> records;
    for (const HostValue& v : list) records.push_back(value_record(ir, table, v));
    return table.array(records, name);
  };
  std::vector<llvm::Constant*> losses;
  for (const std::string& name : interface.losses) losses.push_back(table.text(name));
  std::vector<llvm::Constant*> parameters;
  for (const HostParameter& p : interface.parameters)
    parameters.push_back(parameter_record(ir, table, interface, p));
  const auto count = [&](const auto& list) {
    return ir.constant32(static_cast<int64_t>(list.size()));
  };

  // In the order of struct halcyon_network.
  llvm::Constant* network =
      table.record({ir.constant32(HALCYON_ABI_VERSION),
                    table.text(interface.name),
                    table.text(interface.target),
                    count(interface.inputs),
                    count(interface.outputs),
                    count(interface.targets),
                    count(interface.losses),
                    count(interface.parameters),
                    values(interface.inputs, "inputs"),
                    values(interface.outputs, "outputs"),
                    values(interface.targets, "targets"),
                    table.array(losses, "losses"),
                    table.array(parameters, "parameters"),
                    ir.constant(interface.parameter_bytes + interface.prepared_bytes),
                    ir.constant(interface.parameter_bytes),
                    ir.constant(interface.state_bytes),
                    ir.constant32(interface.optimizer),
                    table.address(functions.workspace_bytes),
                    table.address(functions.prepare),
                    table.address(functions.infer),
                    table.address(functions.pack),
                    table.address(functions.unpack),
                    table.address(functions.train_workspace_bytes),
                    table.address(functions.train_step)});
  llvm::Constant* address = table.pointer_to(network, "network");
  ir.function(interface.name + "_network", ir.pointer, {}, true);
  ir.b.CreateRet(address);
}

}  // namespace halcyon::compiler
