/// Runs the generator that is named on the command line and reads what it prints: exit status 0 if
/// it is a legal graph which prints as the same text.

#include <cstdio>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>

#include "compiler/graph/parse.h"
#include "compiler/graph/verify.h"
#include "dsl/print.h"

namespace {

std::string output_of(const std::string& program) {
  std::FILE* pipe = popen(("'" + program + "'").c_str(), "r");
  if (pipe == nullptr) return {};
  std::string text;
  char part[4096];
  for (std::size_t size; (size = std::fread(part, 1, sizeof part, pipe)) > 0;) {
    text.append(part, size);
  }
  return pclose(pipe) == 0 ? text : std::string();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    const std::string text = output_of(argv[1]);
    const halcyon::dsl::Graph graph = halcyon::compiler::parse_graph(text, "generator");
    halcyon::compiler::verify(graph, halcyon::compiler::Stage::source);
    std::ostringstream again;
    halcyon::dsl::print(graph, again);
    if (again.str() == text && graph.name.view() == "tiny") return 0;
    std::cerr << "printed by the generator:\n" << text << "printed again:\n" << again.str();
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
  }
  return 1;
}
