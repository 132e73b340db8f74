#include "compiler/driver/compile_options.h"

#include <algorithm>
#include <charconv>

#include "compiler/driver/usage.h"
#include "compiler/emit/object_cache.h"
#include "compiler/passes/passes.h"
#include "compiler/target.h"
#include "dsl/enumerations.h"
#include "runtime/base/error.h"

namespace halcyon::compiler {

namespace {

dsl::ops::Optimizer parse_optimizer(const std::string& text) {
  constexpr auto kNames = dsl::names_of(dsl::ops::Optimizer{});
  const auto* found = std::ranges::find(kNames, text);
  if (found == kNames.end())
    throw UserError("unknown optimizer '" + text + "'", "sgd, momentum, rmsprop or adam");
  return static_cast<dsl::ops::Optimizer>(found - kNames.begin());
}

/// "224x224x3", "image=Nx3x224x224": plain decimal numbers, and N for the batch of a model.
struct InputShape {
  std::string name;
  std::vector<int64_t> extents;
};

InputShape parse_input_shape(const std::string& text) {
  InputShape shape;
  const std::size_t equals = text.find('=');
  if (equals != text.npos) shape.name = text.substr(0, equals);
  const char* at = text.data() + (equals == text.npos ? 0 : equals + 1);
  const char* const end = text.data() + text.size();
  while (shape.extents.size() < Shape::kMaxRank) {
    int64_t extent = kBatchNumber;
    if (at != end && *at == 'N' && shape.extents.empty()) {
      ++at;
    } else {
      const auto [next, error] = std::from_chars(at, end, extent);
      if (error != std::errc() || extent < 1 || extent > dsl::kMaxElements) break;
      at = next;
    }
    shape.extents.push_back(extent);
    if (at == end) return shape;
    if (*at++ != 'x') break;
  }
  throw UserError("'" + text + "' is no shape of an input",
                  "HxW or HxWxC, such as 256x320x3; of a model all axes, such as Nx3x224x224");
}

/// For networks of our own, which slide over larger pictures.
std::vector<int64_t> picture_extents(const std::string& text) {
  const InputShape shape = parse_input_shape(text);
  const bool is_picture = shape.name.empty() && shape.extents[0] != kBatchNumber;
  if (is_picture) return shape.extents;
  throw UserError("'" + text + "' is no shape of a picture", "HxW or HxWxC, such as 256x320x3");
}

/// Which choice the command line means.
Fusing FusionChoice::*fusion_named(const std::string& kind) {
  if (kind == "pool") return &FusionChoice::pool;
  if (kind == "reduce") return &FusionChoice::reduce;
  throw UserError("unknown fusion '" + kind + "'", "pool or reduce");
}

}  // namespace

void CompileFlags::add_network_to(CLI::App& command) {
  command.add_option("SRC", source, "a DSL file (.cpp), a model (.onnx) or zoo:NAME")->required();
  command
      .add_option("--source-timeout", source_timeout_s,
                  "seconds for the C++ compiler, and as many for the network's own program")
      ->capture_default_str()
      ->check(whole_number(1, 1'000'000));
}

void CompileFlags::add_source_to(CLI::App& command) {
  add_network_to(command);
  command.add_option("--target", target,
                     "host, or a Halide target such as x86-64-linux-avx-avx2-fma");
  command
      .add_option("--no-fuse", no_fuse,
                  "keep apart, for comparison: pool (a convolution and the overlapping or padded "
                  "pool behind it), reduce (a pool or 1x1 convolution and the convolution behind "
                  "it)")
      ->delimiter(',')
      ->check(usable_by([](const std::string& text) { fusion_named(text); }, "KIND"));
  command.add_flag("--exact", exact,
                   "compute every convolution directly: slower, and four times as precise as with "
                   "Winograd's");
}

void CompileFlags::add_to(CLI::App& command) {
  add_source_to(command);
  command.add_option("--cache", cache, "folder of compiled kernels; none to do without")
      ->check(some_path());
  command.add_option("--jobs", jobs, "threads that compile; 0: all")->check(whole_number(0, 256));
}

void CompileFlags::add_training_to(CLI::App& command, CLI::Option* train) {
  CLI::Option* const rule =
      command.add_option("--optimizer", optimizer, "sgd, momentum, rmsprop or adam");
  rule->check(usable_by([](const std::string& text) { parse_optimizer(text); }, "NAME"));
  CLI::Option* const frozen =
      command.add_option("--freeze", freeze, "parameters that stay as they are, with * and ?");
  if (train == nullptr) return;
  rule->needs(train);
  frozen->needs(train);
}

CLI::Option* CompileFlags::add_input_shape_to(CLI::App& command) {
  return command
      .add_option("--input-shape", input_shapes,
                  "HxW or HxWxC: slide over pictures of this size, larger than the network's own; "
                  "of a model [NAME=]Nx3x224x224, all axes of an input, where it leaves some open; "
                  "again for each such input")
      ->allow_extra_args(false)
      ->check(usable_by([](const std::string& text) { parse_input_shape(text); }, "SHAPE"));
}

Source CompileFlags::load() const {
  parse_target(target);  // a wrong one is told before the C++ compiler has worked for nothing
  const std::chrono::seconds limit(source_timeout_s);
  if (input_shapes.empty()) return load_source(source, limit);
  if (is_model_file(source)) {
    ImportOptions options;
    for (const std::string& text : input_shapes) {
      const InputShape shape = parse_input_shape(text);
      if (!options.input_shapes.emplace(shape.name, shape.extents).second) {
        throw UserError("--input-shape gives the shape of input '" + shape.name + "' twice",
                        "NAME=EXTENTS, once for each input");
      }
    }
    return load_source(source, limit, options);
  }
  if (input_shapes.size() > 1) {
    throw UserError("--input-shape is given twice", "a network of ours slides over one picture");
  }
  Source own = load_source(source, limit);
  own.graph = fully_convolutional(own.graph, picture_extents(input_shapes[0]));
  return own;
}

CompileOptions CompileFlags::options(bool train) const {
  CompileOptions options;
  options.name = name;
  options.target = target;
  options.train = train;
  options.optimizer = parse_optimizer(optimizer);
  options.freeze = freeze;
  options.fusing = fusing();
  options.exact = exact;
  options.jobs = jobs;
  options.cache = cache.empty() ? ObjectCache::default_folder() : std::filesystem::path(cache);
  if (cache == "none") options.cache.clear();
  return options;
}

FusionChoice CompileFlags::fusing() const {
  FusionChoice choice;
  for (const std::string& kind : no_fuse) choice.*fusion_named(kind) = Fusing::never;
  return choice;
}

}  // namespace halcyon::compiler
