/// Functions of one position of each operand, on symbols and, while importing, on numbers.

#include <algorithm>

#include "compiler/onnx/node_import.h"
#include "compiler/ops/formula.h"

namespace halcyon::compiler {

namespace {

using dsl::Scalar;
using dsl::Value;
namespace ops = dsl::ops;

/// `dims` with ones in front, up to that rank.
Dims widened(const Dims& dims, std::size_t rank) {
  Dims wide(rank - dims.size(), 1);
  wide.insert(wide.end(), dims.begin(), dims.end());
  return wide;
}

/// Where in an operand the element lies that belongs to element `index` of the result.
class Broadcast {
 public:
  Broadcast(const Dims& operand, const Dims& result) : result_(result) {
    const Dims wide = widened(operand, result.size());
    strides_.resize(result.size());
    int64_t stride = 1;
    for (std::size_t axis = result.size(); axis-- > 0;) {
      strides_[axis] = wide[axis] == 1 ? 0 : stride;
      stride *= wide[axis];
    }
  }
  int64_t operator()(int64_t index) const {
    int64_t at = 0;
    for (std::size_t axis = result_.size(); axis-- > 0;) {
      at += index % result_[axis] * strides_[axis];
      index /= result_[axis];
    }
    return at;
  }

 private:
  const Dims& result_;
  std::vector<int64_t> strides_;
};

/// What an operator on integers gives where one of them is the batch.
int64_t with_batch_number(const Elementwise& op, int64_t a, int64_t b) {
  const int64_t other = a == kBatchNumber ? b : a;
  const bool is_product = op.function == "mul" || (op.function == "div" && a == kBatchNumber);
  const bool is_sum = op.function == "add" || (op.function == "sub" && a == kBatchNumber);
  if ((is_product && other == 1) || (is_sum && other == 0)) return kBatchNumber;
  if (op.function == "equal" || op.function == "where") return op.integers(a, b);
  throw MixesSamples("computes with the batch as with a number",
                     "--input-shape with numbers for all axes imports the model for one batch");
}

Array on_integers(const Elementwise& op, const std::vector<const Array*>& arrays, const Dims& dims,
                  int64_t count, ElementKind result) {
  if (!op.integers) throw UserError("is not known for integers");
  std::vector<int64_t> values(static_cast<std::size_t>(count));
  for (std::size_t k = 0; k < arrays.size(); ++k) {
    const Broadcast place(arrays[k]->dims, dims);
    for (int64_t i = 0; i < count; ++i) {
      int64_t& value = values[static_cast<std::size_t>(i)];
      const int64_t next = arrays[k]->integers()[static_cast<std::size_t>(place(i))];
      const int64_t a = k == 0 ? next : value;
      const int64_t b = k == 0 ? 0 : next;
      if (k == 0 && arrays.size() > 1) {
        value = next;
      } else if (a == kBatchNumber || b == kBatchNumber) {
        value = with_batch_number(op, a, b);
      } else {
        value = op.integers(a, b);
      }
    }
  }
  return {dims, std::move(values), result};
}

Array on_reals(const Elementwise& op, const std::vector<const Array*>& arrays, const Dims& dims,
               int64_t count, ElementKind result) {
  std::vector<Scalar> inputs;
  std::vector<Broadcast> places;
  for (const Array* array : arrays) {
    inputs.push_back(Scalar::input(static_cast<int>(inputs.size())));
    places.emplace_back(array->dims, dims);
  }
  const dsl::Formula formula = op.formula(inputs).formula;
  std::vector<double> numbers(arrays.size());
  std::vector<float> reals;
  std::vector<int64_t> integers;
  for (int64_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < arrays.size(); ++k) numbers[k] = arrays[k]->number(places[k](i));
    const double value = evaluate(formula, numbers);
    if (result == ElementKind::real) {
      reals.push_back(static_cast<float>(value));
    } else {
      integers.push_back(static_cast<int64_t>(value));
    }
  }
  if (result == ElementKind::real) return {dims, std::move(reals)};
  return {dims, std::move(integers), result};
}

Array on_arrays(Builder& builder, const Elementwise& op, const std::vector<const Array*>& arrays,
                ElementKind operands, ElementKind result) {
  Dims dims = arrays[0]->dims;
  for (const Array* array : arrays) dims = broadcast(dims, array->dims);
  const int64_t count = count_elements(dims, "the result");
  builder.spend(count);
  if (operands == ElementKind::real || op.result == ElementKind::real) {
    return on_reals(op, arrays, dims, count, result);
  }
  return on_integers(op, arrays, dims, count, result);
}

// ---- on symbols

/// Axes that all operands have whole or not at all become one, until there are few enough.
void collapse(std::vector<Dims>& operands, std::size_t most) {
  for (std::size_t axis = 0; operands[0].size() > most && axis + 1 < operands[0].size();) {
    const bool alike = std::ranges::all_of(operands, [&](const Dims& dims) {
      const auto repeated = [&](std::size_t a) {
        return dims[a] == 1 &&
               std::ranges::any_of(operands, [&](const Dims& other) { return other[a] != 1; });
      };
      return repeated(axis) == repeated(axis + 1);
    });
    if (!alike) {
      ++axis;
      continue;
    }
    for (Dims& dims : operands) {
      dims[axis] *= dims[axis + 1];
      dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1);
    }
  }
}

/// One number for each channel is a parameter of one axis.
Shape given_shape(const Dims& sample) {
  Shape shape = plain_shape(sample);
  for (int axis = 1; axis < shape.rank; ++axis) {
    if (shape[axis] != 1) return shape;
  }
  return Shape{shape[0]};
}

}  // namespace

Dims broadcast(const Dims& a, const Dims& b) {
  Dims dims = widened(a, std::max(a.size(), b.size()));
  const Dims other = widened(b, dims.size());
  for (std::size_t axis = 0; axis < dims.size(); ++axis) {
    if (dims[axis] == other[axis] || other[axis] == 1) continue;
    if (dims[axis] != 1) {
      throw UserError("has operands " + dims_text(a) + " and " + dims_text(b) +
                          ", which cannot be repeated to each other",
                      "axes are compared from the last one; extents are equal, or one is 1");
    }
    dims[axis] = other[axis];
  }
  return dims;
}

Symbol elementwise(Builder& builder, const std::string& function,
                   const std::function<Scalar(std::span<const Scalar>)>& formula,
                   const std::vector<Item>& items) {
  Dims dims = dims_of(items[0]);
  for (const Item& item : items) dims = broadcast(dims, dims_of(item));
  const bool drops_first = builder.by_batch() || (!dims.empty() && dims[0] == 1);

  // Numbers become part of the formula, everything else an operand.
  std::vector<Scalar> arguments;
  std::vector<const Item*> operands;
  std::vector<Dims> shapes;
  for (const Item& item : items) {
    const auto* array = std::get_if<Array>(&item);
    if (array != nullptr && array->size() == 1) {
      arguments.emplace_back(static_cast<float>(array->number(0)));
      continue;
    }
    arguments.push_back(Scalar::input(static_cast<int>(operands.size())));
    operands.push_back(&item);
    Dims wide = widened(dims_of(item), dims.size());
    if (builder.by_batch()) {
      // The batch meets the batch, and what is no symbol has none.
      const bool fits = array != nullptr ? wide[0] == 1 : dims_of(item).size() == dims.size();
      if (!fits) {
        throw MixesSamples("has operands of which " + dims_text(dims_of(item)) +
                           " would be repeated along the batch of " + dims_text(dims));
      }
    }
    if (drops_first) wide.erase(wide.begin());
    if (wide.empty()) wide = {1};
    shapes.push_back(std::move(wide));
  }
  if (shapes[0].size() > Builder::kMaxAxes) collapse(shapes, Builder::kMaxAxes);
  if (shapes[0].size() > Builder::kMaxAxes) {
    throw UserError("works on " + dims_text(dims) + ", which has too many axes; a batch and " +
                    std::to_string(Builder::kMaxAxes) + " are supported");
  }
  std::vector<Value> values;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (const auto* symbol = std::get_if<Symbol>(operands[i])) {
      values.push_back(builder.seen_as(symbol->value, shapes[i]));
    } else {
      values.push_back(builder.given(std::get<Array>(*operands[i]), given_shape(shapes[i])));
    }
  }
  const ops::Pointwise op{FixedString(function), formula(arguments).formula};
  return builder.wrap(builder.add(op, std::move(values)), dims);
}

Item elementwise(NodeImport& node, const Elementwise& op, const std::vector<Item>& items) {
  const auto kind_of = [](const Item& item) {
    return std::visit([](const auto& x) { return x.kind; }, item);
  };
  const ElementKind operands = kind_of(items.back());
  // The condition of Where stands in front.
  for (std::size_t i = items.size() == 3 && op.function == "where" ? 1 : 0; i < items.size(); ++i) {
    if (kind_of(items[i]) != operands) {
      throw UserError("has operands of different types", "a Cast makes them alike");
    }
  }
  const ElementKind result = op.result.value_or(operands);
  std::vector<const Array*> arrays;
  for (const Item& item : items) {
    if (const auto* array = std::get_if<Array>(&item)) arrays.push_back(array);
  }
  if (arrays.size() == items.size()) {
    return on_arrays(node.builder, op, arrays, operands, result);
  }
  if (operands == ElementKind::integer && op.function == "div") {
    throw UserError("divides integers that the network computes",
                    "networks compute in single precision");
  }
  Symbol symbol = elementwise(node.builder, op.function, op.formula, items);
  symbol.kind = result;
  return symbol;
}

}  // namespace halcyon::compiler
