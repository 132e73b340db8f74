/// The program `halcyon`.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

#include "compiler/driver/commands.h"
#include "compiler/driver/usage.h"
#include "runtime/base/error.h"

namespace {

constexpr int kUserMistake = 1;
constexpr int kBadUsage = 2;
constexpr int kOurBug = 3;

int fail(int status, const std::string& message) {
  std::cerr << "error: " << message << std::endl;
  return status;
}

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
  halcyon::compiler::add_summary_command(app);
  halcyon::compiler::add_graph_command(app);
  halcyon::compiler::add_bench_command(app);
  halcyon::compiler::add_zoo_command(app);
  halcyon::compiler::add_passes_command(app);
  try {
    app.parse(argc, argv);
    if (std::fflush(stdout) != 0 || !std::cout.flush()) {
      return fail(kUserMistake, "cannot write to standard output");
    }
    return 0;
  } catch (const CLI::Success& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    return fail(kBadUsage, usage_message(app, argc, argv, e));
  } catch (const halcyon::InternalError& e) {
    return fail(kOurBug, e.what());
  } catch (const halcyon::Error& e) {
    return fail(kUserMistake, e.what());
  } catch (const std::bad_alloc&) {
    return fail(kUserMistake, "out of memory");
  } catch (const std::exception& e) {
    return fail(kOurBug,
                std::string(e.what()) + "\n  hint: this is a bug in halcyon, please report it");
  }
}
