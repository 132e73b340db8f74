#include "runtime/program/report.h"

#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>

#include "runtime/base/error.h"

namespace halcyon::runtime {
namespace {

int fail(int status, const std::string& message) {
  std::cerr << "error: " << message << std::endl;
  return status;
}

/// 0 if everything that was printed is on its way.
int flush() {
  if (std::fflush(stdout) == 0 && std::cout.flush()) return 0;
  return fail(kUserMistake, "cannot write to standard output");
}

}  // namespace

int run_and_report(CLI::App& app, int argc, const char* const* argv,
                   const std::function<std::string(const CLI::ParseError&)>& usage) {
  try {
    app.parse(argc, argv);
    return flush();
  } catch (const CLI::Success& e) {  // the help, or the version
    app.exit(e);
    return flush();
  } catch (const CLI::ParseError& e) {
    return fail(kBadUsage, usage(e));
  } catch (const InternalError& e) {
    return fail(kOurBug, e.what());
  } catch (const Error& e) {
    return fail(kUserMistake, e.what());
  } catch (const std::filesystem::filesystem_error& e) {
    return fail(kUserMistake, e.what());
  } catch (const std::bad_alloc&) {
    return fail(kUserMistake, "out of memory");
  } catch (const std::exception& e) {
    return fail(kOurBug,
                std::string(e.what()) + "\n  hint: this is a bug in halcyon, please report it");
  }
}

}  // namespace halcyon::runtime
