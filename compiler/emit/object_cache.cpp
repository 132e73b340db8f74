#include "compiler/emit/object_cache.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>

#include "compiler/emit/hash.h"
#include "runtime/base/error.h"
#include "runtime/file.h"

namespace halcyon::compiler {

namespace {

/// In front of each object: what makes a damaged entry known.
struct EntryHeader {
  char magic[8];
  char symbol[48];
  char hash[32];
  int64_t object_bytes;
  Scratch scratch;
};

constexpr char kMagic[8] = {'h', 'a', 'l', 'c', 'y', 'k', '0', '3'};

/// Over everything that is used: a wrong number of scratch bytes would let a kernel write behind
/// the workspace.
std::string hash_of(const KernelObject& kernel) {
  return hash_text(kernel.symbol + " " + std::to_string(kernel.scratch.own_bytes) + " " +
                   std::to_string(kernel.scratch.worker_bytes) + " " + hash_bytes(kernel.object));
}

EntryHeader header_of(const KernelObject& kernel) {
  EntryHeader header = {};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  std::memcpy(header.symbol, kernel.symbol.data(),
              std::min(kernel.symbol.size(), sizeof header.symbol));
  std::memcpy(header.hash, hash_of(kernel).data(), sizeof header.hash);
  header.object_bytes = static_cast<int64_t>(kernel.object.size());
  header.scratch = kernel.scratch;
  return header;
}

}  // namespace

std::filesystem::path ObjectCache::default_folder() {
  if (const char* folder = std::getenv("HALCYON_CACHE")) return folder;
  // Source: XDG Base Directory Specification: what is empty or relative counts as not set.
  const auto absolute = [](const char* variable) -> std::filesystem::path {
    const char* folder = std::getenv(variable);
    return folder != nullptr && folder[0] == '/' ? folder : "";
  };
  if (const auto folder = absolute("XDG_CACHE_HOME"); !folder.empty()) return folder / "halcyon";
  if (const auto home = absolute("HOME"); !home.empty()) return home / ".cache" / "halcyon";
  return {};
}

std::filesystem::path ObjectCache::path_of(const std::string& symbol) const {
  return folder_ / (symbol + ".hko");
}

std::optional<KernelObject> ObjectCache::find(const std::string& symbol) const {
  std::error_code ignored;
  if (folder_.empty() || !std::filesystem::is_regular_file(path_of(symbol), ignored))
    return std::nullopt;
  std::vector<std::byte> bytes;
  try {
    bytes = runtime::read_file(path_of(symbol));
  } catch (const Error&) {
    return std::nullopt;
  }
  EntryHeader header;
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  KernelObject kernel;
  kernel.symbol = symbol;
  kernel.scratch = header.scratch;
  kernel.object.assign(bytes.begin() + sizeof header, bytes.end());
  const EntryHeader expected = header_of(kernel);
  if (std::memcmp(&header, &expected, sizeof header) != 0) return std::nullopt;
  return kernel;
}

void ObjectCache::store(const KernelObject& kernel) const {
  if (folder_.empty()) return;
  const EntryHeader header = header_of(kernel);
  std::vector<std::byte> bytes(sizeof header);
  std::memcpy(bytes.data(), &header, sizeof header);
  bytes.insert(bytes.end(), kernel.object.begin(), kernel.object.end());
  try {
    std::filesystem::create_directories(folder_);
    runtime::write_file_atomically(path_of(kernel.symbol), bytes);
  } catch (const std::exception&) {  // see the header: a cache is a convenience
  }
}

KernelBuild build_kernels(const std::vector<KernelSpec>& specs, const ObjectCache& cache,
                          int jobs) {
  std::map<std::string, const KernelSpec*> distinct;
  for (const KernelSpec& spec : specs) distinct.emplace(kernel_symbol(spec), &spec);

  KernelBuild build;
  std::vector<const KernelSpec*> missing;
  for (const auto& [symbol, spec] : distinct) {
    if (std::optional<KernelObject> known = cache.find(symbol)) {
      build.kernels.push_back(std::move(*known));
    } else {
      missing.push_back(spec);
    }
  }
  build.compiled = static_cast<int64_t>(missing.size());

  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    for (std::size_t i = next++; i < missing.size(); i = next++) {
      try {
        KernelObject kernel = compile_kernel(*missing[i]);
        cache.store(kernel);
        const std::lock_guard lock(mutex);
        build.kernels.push_back(std::move(kernel));
      } catch (...) {
        const std::lock_guard lock(mutex);
        failure = std::current_exception();
        next = missing.size();
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < jobs && i < static_cast<int>(missing.size()); ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
  std::sort(build.kernels.begin(), build.kernels.end(),
            [](const KernelObject& a, const KernelObject& b) { return a.symbol < b.symbol; });
  return build;
}

}  // namespace halcyon::compiler
