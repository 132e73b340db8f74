#pragma once
/// How values are spelt in the C++ of a network file.

#include <string>
#include <string_view>
#include <vector>

#include "dsl/enumerations.h"
#include "dsl/graph.h"

namespace halcyon::compiler::words {

/// "\"conv1\"", as a string literal.
std::string quoted(std::string_view text);

/// "0.1f": the shortest decimal that gives every bit back.
std::string number(float value);
inline std::string number(int64_t value) { return std::to_string(value); }

/// "{1, 2}"
std::string list(const std::vector<std::string>& parts);

/// One number where all axes have the same, else one for each: "3", "{1, 7}".
std::string per_axis(const dsl::Spatial& numbers);

/// Zeros around the spatial axes: "1", "{0, 3}", "Padding({0, 0}, {1, 1})".
std::string padding(const dsl::Spatial& begin, const dsl::Spatial& end);

/// The extents behind the first `skip`: "{3, 8, 8}".
std::string extents(const Shape& shape, int skip);

/// "[](Scalar x) { return x * sigmoid(1.5f * x); }"; of several inputs they are x0, x1, ...
std::string function(const dsl::Formula& formula, int inputs);
/// "[](Window x) { return x(0, 1) - x(0, 0); }"
std::string function(const dsl::Stencil& stencil);

/// "ops::Slice{.begin = {0, 1}, ...}", with all attributes; empty for an operator of which C++ has
/// no such form.
std::string operation(const dsl::Op& op);

/// Whether a network may be a function of that name, beside what its file includes.
bool is_free_name(std::string_view name);

/// `text` in lines of at most 100 columns, the first one with `indent` spaces in front and the
/// others with four more, broken behind "|" and commas, in as few brackets as possible.
std::string wrapped(const std::string& text, std::size_t indent);

}  // namespace halcyon::compiler::words
