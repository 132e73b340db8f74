/// The program `halcyon`.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "compiler/driver/commands.h"
#include "runtime/base/error.h"

namespace {

constexpr int kUserMistake = 1;
constexpr int kBadUsage = 2;
constexpr int kOurBug = 3;

int fail(int status, const std::string& message) {
  std::cerr << "error: " << message << std::endl;
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("halcyon: compile convolutional networks ahead of time", "halcyon");
  app.require_subcommand(1);
  halcyon::compiler::add_compile_command(app);
  halcyon::compiler::add_train_command(app);
  halcyon::compiler::add_verify_command(app);
  halcyon::compiler::add_bench_command(app);
  halcyon::compiler::add_zoo_command(app);
  halcyon::compiler::add_passes_command(app);
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::Success& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    app.exit(e);
    return kBadUsage;
  } catch (const halcyon::InternalError& e) {
    return fail(kOurBug, e.what());
  } catch (const halcyon::Error& e) {
    return fail(kUserMistake, e.what());
  } catch (const std::bad_alloc&) {
    return fail(kUserMistake, "out of memory");
  } catch (const std::exception& e) {
    return fail(kOurBug, std::string(e.what()) + "\n  hint: this is a bug in halcyon, please report it");
  }
}
