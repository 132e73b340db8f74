#include <cstring>

#include "compiler/driver/child_process.h"
#include "compiler/driver/picture/picture.h"
#include "runtime/base/error.h"
#include "runtime/file.h"
#include "runtime/temporary_folder.h"

namespace halcyon::compiler {

std::string graphviz_svg(const std::string& dot, std::chrono::seconds limit) {
  const std::string other = "a page F.html needs no Graphviz";
  const HeldSignals signals;  // before the folder: it is gone when a signal ends the program
  const runtime::TemporaryFolder folder;
  const std::string source = folder.file("graph.dot");
  runtime::write_file_atomically(source, std::as_bytes(std::span(dot)));
  const Finished drawn = run_child({"dot", "-Tsvg", source}, limit, signals);
  if (drawn.launch_error != 0) {
    throw UserError(
        std::string("cannot run Graphviz, the program 'dot': ") + std::strerror(drawn.launch_error),
        "install the package graphviz; " + other);
  }
  if (drawn.timed_out) {
    throw UserError("Graphviz, the program 'dot', took longer than " +
                        std::to_string(limit.count()) + " s and was stopped",
                    "--dot-timeout SECONDS waits longer, --stage draws half; " + other);
  }
  if (drawn.status != 0 || drawn.output.find("</svg>") == std::string::npos) {
    const std::string said = drawn.errors.substr(0, drawn.errors.find_last_not_of('\n') + 1);
    throw UserError("Graphviz, the program 'dot', failed" + (said.empty() ? "" : ":\n" + said),
                    other);
  }
  return drawn.output;
}

}  // namespace halcyon::compiler
