#pragma once
/// Names come from users and models: what may stand in HTML, DOT and JSON, and what may not.

#include <string>
#include <string_view>

namespace halcyon::compiler {

/// Valid UTF-8 of one line: control characters and broken sequences become U+FFFD.
std::string printable(std::string_view text);

/// For the text and the quoted attributes of HTML and SVG.
std::string html(std::string_view text);

/// A quoted string of DOT. Lines of the text stay lines, no other escape sequence is left.
std::string dot_quoted(std::string_view text);

/// JSON that may stand inside a script element: no text in it can end the element.
std::string json_in_script(std::string json);

}  // namespace halcyon::compiler
