#include "runtime/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>
#include <new>
#include <string_view>
#include <system_error>
#include <utility>

#include "runtime/base/error.h"

namespace halcyon::runtime {
namespace {

std::string error_text(int error) {
  std::string text = std::generic_category().message(error);
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }
  bool ok() const { return number_ >= 0; }

 private:
  int number_;
};

Descriptor open_file(const std::string& path, int flags) {
  int number = -1;
  do {
    number = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  } while (number < 0 && errno == EINTR);
  return Descriptor(number);
}

[[noreturn]] void fail_write(const std::string& path, const std::string& what, int error) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  throw SystemError("cannot write '" + path + "': " + what + ": " + error_text(error),
                    error == ENOENT ? "folder '" + folder + "' must exist" : "");
}

/// The file that a write to `path` means: symbolic links are followed, so that they survive.
std::string resolve_target(const std::string& path) {
  if (path.empty()) throw UserError("cannot write a file: its path is empty");
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return path;
  if (!S_ISREG(found.st_mode)) {
    throw UserError("cannot write '" + path + "': it is " +
                    (S_ISDIR(found.st_mode) ? "a folder" : "not a regular file"));
  }
  std::error_code error;
  const std::filesystem::path resolved = std::filesystem::canonical(path, error);
  return error ? path : resolved.string();
}

/// Beside the file; a name that leaves no room for the ending is cut.
std::string temporary_of(const std::string& target) {
  constexpr std::string_view kEnding = ".partial";
  constexpr std::size_t kLongestName = 255;  // of Linux' file systems
  const std::filesystem::path path(target);
  const std::string name = path.filename().string();
  return (path.parent_path() / name.substr(0, kLongestName - kEnding.size())).string() +
         std::string(kEnding);
}

/// Opens the temporary and locks it. The lock goes with the process, so what a killed one leaves is
/// free at once.
Descriptor open_temporary(const std::string& temporary, const std::string& path) {
  while (true) {
    // No O_TRUNC: until we hold the lock the content may be somebody else's work.
    Descriptor file = open_file(temporary, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK);
    if (!file.ok()) fail_write(path, "cannot create '" + temporary + "'", errno);
    struct stat opened {};
    if (::fstat(file.get(), &opened) != 0)
      fail_write(path, "cannot create '" + temporary + "'", errno);
    if (!S_ISREG(opened.st_mode)) {
      throw SystemError("cannot write '" + path + "': '" + temporary +
                        "' is in the way and not a regular file");
    }
    int locked = -1;
    do {
      locked = ::flock(file.get(), LOCK_EX);
    } while (locked != 0 && errno == EINTR);
    // A file system without locks leaves writers of one path unordered, which is no reason to fail.
    if (locked != 0 && errno != ENOTSUP && errno != ENOSYS && errno != ENOLCK && errno != EINVAL) {
      fail_write(path, "cannot lock '" + temporary + "'", errno);
    }
    // Whoever held the lock before us has renamed or removed the file we opened; then it is not
    // ours to write.
    struct stat named {};
    if (::lstat(temporary.c_str(), &named) == 0 && named.st_dev == opened.st_dev &&
        named.st_ino == opened.st_ino) {
      return file;
    }
  }
}

/// Returns 0 or errno.
int write_all(int file, std::span<const std::byte> bytes) {
  constexpr std::size_t kChunkBytes = std::size_t{1} << 30;  // write() takes below 2 GiB
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), std::min(bytes.size(), kChunkBytes));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

int sync_folder(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const Descriptor opened = open_file(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
  if (!opened.ok()) return errno;
  if (::fsync(opened.get()) == 0) return 0;
  return errno == EINVAL ? 0 : errno;  // EINVAL: a file system that has nothing to sync
}

}  // namespace

std::vector<std::byte> read_file(const std::string& path, uint64_t limit_bytes) {
  // O_NONBLOCK: opening a pipe that nobody writes must not hang.
  const Descriptor file = open_file(path, O_RDONLY | O_NONBLOCK);
  if (!file.ok()) throw UserError("cannot read '" + path + "': " + error_text(errno));
  struct stat found {};
  if (::fstat(file.get(), &found) != 0) {
    throw SystemError("cannot read '" + path + "': " + error_text(errno));
  }
  if (!S_ISREG(found.st_mode)) {
    throw UserError("cannot read '" + path + "': it is " +
                    (S_ISDIR(found.st_mode) ? "a folder" : "not a regular file"));
  }
  const uint64_t size_bytes = static_cast<uint64_t>(found.st_size);
  if (size_bytes > limit_bytes) {
    throw UserError("cannot read '" + path + "': it has " + std::to_string(size_bytes) +
                    " bytes, at most " + std::to_string(limit_bytes) + " are accepted");
  }
  std::vector<std::byte> bytes;
  try {
    bytes.resize(size_bytes);
  } catch (const std::bad_alloc&) {
    throw SystemError("cannot read '" + path + "': no memory for its " +
                      std::to_string(size_bytes) + " bytes");
  }
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw SystemError("cannot read '" + path + "': " + error_text(errno));
    if (got == 0) break;  // it has become shorter since it was opened
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

void write_file_atomically(const std::string& path, std::span<const std::byte> bytes) {
  const std::string target = resolve_target(path);
  const std::string temporary = temporary_of(target);
  const Descriptor file = open_temporary(temporary, path);
  const auto fail = [&](const char* what) {
    const int error = errno;
    ::unlink(temporary.c_str());  // still locked, so it is ours
    fail_write(path, what, error);
  };

  if (::ftruncate(file.get(), 0) != 0) fail("cannot empty the temporary file");
  struct stat existing {};
  if (::stat(target.c_str(), &existing) == 0 &&
      ::fchmod(file.get(), existing.st_mode & 0777) != 0) {
    fail("cannot keep the mode");
  }
  errno = write_all(file.get(), bytes);
  if (errno != 0) fail("cannot write all bytes");
  if (::fsync(file.get()) != 0) fail("cannot write to the disk");
  if (::rename(temporary.c_str(), target.c_str()) != 0) fail("cannot replace the file");
  const int error = sync_folder(target);
  if (error != 0) fail_write(path, "cannot write its folder to the disk", error);
}

void check_can_write(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(resolve_target(path)).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored))
    throw SystemError("cannot write '" + path + "': there is no folder '" + folder + "'");
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    throw SystemError("cannot write '" + path + "': folder '" + folder + "': " + error_text(errno));
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0 && errno != ENOENT)
    throw SystemError("cannot write '" + path + "': " + error_text(errno));
}

void check_distinct(std::span<const PlannedFile> files) {
  std::map<std::filesystem::path, const PlannedFile*> known;
  for (const PlannedFile& file : files) {
    if (file.path.empty()) continue;
    std::error_code error;  // links and '..' are followed as far as there is something
    const std::filesystem::path whole = std::filesystem::absolute(file.path, error);
    std::filesystem::path real = std::filesystem::weakly_canonical(whole, error);
    if (error) real = whole.lexically_normal();
    const auto [first, is_new] = known.emplace(std::move(real), &file);
    if (is_new) continue;
    throw UserError(first->second->name + " and " + file.name + " both write '" + file.path + "'",
                    "the later would replace the earlier: give each a file of its own");
  }
}

}  // namespace halcyon::runtime
