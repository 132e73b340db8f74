/// halcyon summary.

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "compiler/driver/commands.h"
#include "compiler/driver/compile_options.h"
#include "compiler/driver/summary.h"

namespace halcyon::compiler {

void add_summary_command(CLI::App& app) {
  struct Options : CompileFlags {
    bool json = false;
  };
  CLI::App* command =
      app.add_subcommand("summary", "layers, shapes, parameters, multiply-adds and workspace");
  auto o = std::make_shared<Options>();
  o->add_source_to(*command);
  o->add_input_shape_to(*command);
  command->add_flag("--json", o->json);
  command->callback([o] {
    const Summary summary =
        summarize(o->load().graph, parse_target(o->target), o->fusing(), o->exact);
    std::cout << (o->json ? to_json(summary).dump(2) + "\n" : to_text(summary));
  });
}

}  // namespace halcyon::compiler
