/// halcyon run.

#include "runtime/program/run.h"

#include <memory>

#include "compiler/driver/commands.h"
#include "compiler/driver/compile_options.h"
#include "compiler/driver/load.h"

namespace halcyon::compiler {

void add_run_command(CLI::App& app) {
  struct RunCommand : CompileFlags {
    runtime::RunOptions run;
  };
  CLI::App* command = app.add_subcommand("run", "compile a network and apply it to files");
  auto o = std::make_shared<RunCommand>();
  o->add_to(*command);
  o->add_input_shape_to(*command);
  o->run.add_to(*command);
  command->callback([o] {
    const Source from = o->load();
    const std::optional<Artifact> artifact = compile(from.graph, o->options(false));
    const LoadedNetwork loaded(*artifact);
    runtime::run_network(loaded.info(), o->run, from.weights ? &*from.weights : nullptr);
  });
}

}  // namespace halcyon::compiler
