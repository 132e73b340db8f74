/// The program `halcyon`.

#include <CLI/CLI.hpp>
#include <string>

#include "compiler/driver/commands.h"
#include "compiler/driver/usage.h"
#include "runtime/program/report.h"

namespace {

/// CLI11 does not name a command that it does not know.
std::string usage_message(const CLI::App& app, int argc, char** argv, const CLI::ParseError& e) {
  const std::string first = argc > 1 ? argv[1] : "";
  bool exists = first.empty() || first[0] == '-';
  std::string known;
  for (const CLI::App* command : app.get_subcommands({})) {
    exists = exists || command->get_name() == first;
    known += (known.empty() ? "" : ", ") + command->get_name();
  }
  if (!exists) return "there is no command '" + first + "'\n  hint: the commands are " + known;
  std::string text = halcyon::compiler::usage_text(e);
  if (text.find("\n  hint: ") != text.npos) return text;
  return text + "\n  hint: halcyon --help lists the commands, halcyon COMMAND --help its options";
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("halcyon: compile convolutional networks ahead of time", "halcyon");
  app.set_version_flag("--version", "halcyon " HALCYON_VERSION);
  app.require_subcommand(1);
  halcyon::compiler::add_compile_command(app);
  halcyon::compiler::add_train_command(app);
  halcyon::compiler::add_verify_command(app);
  halcyon::compiler::add_run_command(app);
  halcyon::compiler::add_summary_command(app);
  halcyon::compiler::add_graph_command(app);
  halcyon::compiler::add_import_command(app);
  halcyon::compiler::add_export_command(app);
  halcyon::compiler::add_bench_command(app);
  halcyon::compiler::add_zoo_command(app);
  halcyon::compiler::add_passes_command(app);
  return halcyon::runtime::run_and_report(
      app, argc, argv, [&](const CLI::ParseError& e) { return usage_message(app, argc, argv, e); });
}
