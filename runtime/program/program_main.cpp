/// The whole of a program that `halcyon compile --emit exe` makes, but for the network itself.

#include "runtime/program/program_main.h"

#include <CLI/CLI.hpp>
#include <string>

#include "runtime/program/report.h"
#include "runtime/program/run.h"
#include "runtime/program/usage.h"

int halcyon_program_main(const halcyon_network* network, int argc, const char* const* argv) {
  using namespace halcyon::runtime;
  CLI::App app(
      std::string("network ") + network->name + ", compiled by halcyon for " + network->target,
      network->name);
  RunOptions options;
  options.add_to(app);
  app.callback([&] { run_network(*network, options); });
  return run_and_report(app, argc, argv, [](const CLI::ParseError& error) {
    return usage_text(error) + "\n  hint: --help lists the options";
  });
}
