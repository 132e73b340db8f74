/// halcyon graph.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "compiler/driver/commands.h"
#include "compiler/driver/compile_options.h"
#include "compiler/driver/picture/picture.h"
#include "compiler/driver/usage.h"
#include "runtime/base/error.h"
#include "runtime/file.h"

namespace halcyon::compiler {

namespace {

struct GraphCommand : CompileFlags {
  std::string output;
  std::string stage = "both";
  bool train = false;
  int64_t dot_timeout_s = 60;

  void run() const;
  std::string text(const std::string& extension, const Picture& picture) const;
};

std::string extension_of(const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  if (extension != ".dot" && extension != ".svg" && extension != ".html") {
    throw UserError("cannot tell what to write into '" + path +
                        "': its name ends with neither .dot nor .svg nor .html",
                    ".html is a page to look around in, .svg a drawing, .dot text for Graphviz");
  }
  return extension;
}

std::string GraphCommand::text(const std::string& extension, const Picture& picture) const {
  if (extension == ".html") return page_text(picture);
  const std::string dot = dot_text(picture.summary.network, picture.views);
  return extension == ".dot" ? dot : graphviz_svg(dot, std::chrono::seconds(dot_timeout_s));
}

void GraphCommand::run() const {
  const std::string extension = extension_of(output);
  runtime::check_can_write(output);
  const PassContext context = pass_context(options(train));
  const Show show = stage == "before" ? Show::before : stage == "after" ? Show::after : Show::both;
  const std::string drawn = text(extension, make_picture(load().graph, context, train, show));
  runtime::write_file_atomically(output, std::as_bytes(std::span(drawn)));
}

}  // namespace

void add_graph_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "graph", "draw the network before and after the passes, with its costs and its memory");
  auto o = std::make_shared<GraphCommand>();
  o->add_source_to(*command);
  CLI::Option* const train = command->add_flag("--train", o->train, "draw the training step");
  o->add_training_to(*command, train);
  o->add_input_shape_to(*command)->excludes(train);
  command->add_option("-o,--output", o->output, "F.html, F.svg or F.dot")->required();
  command->add_option("--stage", o->stage, "before or after the passes, or both")
      ->capture_default_str()
      ->check(CLI::IsMember({"before", "after", "both"}));
  command->add_option("--dot-timeout", o->dot_timeout_s, "seconds for Graphviz to draw F.svg")
      ->capture_default_str()
      ->check(whole_number(1, 1'000'000));
  command->callback([o] { o->run(); });
}

}  // namespace halcyon::compiler
