#pragma once
/// The commands of the program `halcyon`. Each adds its options and what runs when it is chosen.

namespace CLI {
class App;
}

namespace halcyon::compiler {

void add_bench_command(CLI::App& app);
void add_compile_command(CLI::App& app);
void add_export_command(CLI::App& app);
void add_graph_command(CLI::App& app);
void add_import_command(CLI::App& app);
void add_run_command(CLI::App& app);
void add_summary_command(CLI::App& app);
void add_train_command(CLI::App& app);
void add_verify_command(CLI::App& app);
void add_zoo_command(CLI::App& app);
void add_passes_command(CLI::App& app);

}  // namespace halcyon::compiler
