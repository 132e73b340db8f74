#include "compiler/emit/object_cache.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "runtime/file.h"
#include "tests/emit/networks.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::compiler {
namespace {

namespace fs = std::filesystem;
using tests::TemporaryFolder;

KernelObject some_kernel(std::size_t bytes = 300) {
  KernelObject kernel;
  kernel.symbol = "halcyon_k_0123456789abcdef0123456789abcdef";
  kernel.scratch = {.own_bytes = 64, .worker_bytes = 128};
  for (std::size_t i = 0; i < bytes; ++i) kernel.object.push_back(static_cast<std::byte>(i * 7));
  return kernel;
}

class ObjectCacheTest : public testing::Test {
 protected:
  std::string entry() const { return folder_.file("cache/" + kernel_.symbol + ".hko"); }

  TemporaryFolder folder_;
  const ObjectCache cache_{folder_.file("cache")};
  const KernelObject kernel_ = some_kernel();
};

TEST_F(ObjectCacheTest, GivesBackWhatWasStored) {
  EXPECT_FALSE(cache_.find(kernel_.symbol));
  cache_.store(kernel_);
  const std::optional<KernelObject> found = cache_.find(kernel_.symbol);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->symbol, kernel_.symbol);
  EXPECT_EQ(found->scratch.own_bytes, 64);
  EXPECT_EQ(found->scratch.worker_bytes, 128);
  EXPECT_TRUE(found->object == kernel_.object);
  EXPECT_FALSE(cache_.find("halcyon_k_ffffffffffffffffffffffffffffffff"));
}

TEST_F(ObjectCacheTest, ADamagedByteAnywhereMakesAnEntryAbsent) {
  cache_.store(kernel_);
  const std::vector<std::byte> good = runtime::read_file(entry());
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::vector<std::byte> bad = good;
    bad[at] ^= std::byte{0x40};
    std::ofstream(entry(), std::ios::binary)
        .write(reinterpret_cast<const char*>(bad.data()), static_cast<std::streamsize>(bad.size()));
    EXPECT_FALSE(cache_.find(kernel_.symbol)) << "byte " << at << " of " << good.size();
  }
}

TEST_F(ObjectCacheTest, AnEntryOfAnotherLengthIsAbsent) {
  cache_.store(kernel_);
  const std::vector<std::byte> good = runtime::read_file(entry());
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{50}, good.size() - 300,
                                 good.size() - 1, good.size() + 1}) {
    fs::resize_file(entry(), size);
    EXPECT_FALSE(cache_.find(kernel_.symbol)) << size;
    cache_.store(kernel_);
    EXPECT_TRUE(cache_.find(kernel_.symbol));
  }
}

TEST_F(ObjectCacheTest, ForeignFilesAndEntriesOfOtherKernelsAreAbsent) {
  cache_.store(kernel_);
  const std::string other = "halcyon_k_ffffffffffffffffffffffffffffffff";
  fs::copy_file(entry(), folder_.file("cache/" + other + ".hko"));
  EXPECT_FALSE(cache_.find(other));
  std::ofstream(entry()) << "not ours at all, but long enough to hold a header and then some more "
                            "bytes than that, which nobody has ever hashed";
  EXPECT_FALSE(cache_.find(kernel_.symbol));
  fs::remove(entry());
  fs::create_directory(entry());
  EXPECT_FALSE(cache_.find(kernel_.symbol));
  cache_.store(kernel_);  // cannot, and does not mind
  EXPECT_FALSE(cache_.find(kernel_.symbol));
}

TEST_F(ObjectCacheTest, AFolderThatCannotBeMadeIsNoError) {
  std::ofstream(folder_.file("plain")) << "a file";
  for (const std::string& place :
       {folder_.file("plain"), folder_.file("plain/below"), std::string("/proc/nowhere")}) {
    const ObjectCache cache(place);
    cache.store(kernel_);
    EXPECT_FALSE(cache.find(kernel_.symbol)) << place;
  }
  const ObjectCache none{fs::path()};
  none.store(kernel_);
  EXPECT_FALSE(none.find(kernel_.symbol));
  EXPECT_EQ(runtime::read_file(folder_.file("plain")).size(), 6u);
}

TEST_F(ObjectCacheTest, ADamagedEntryIsBuiltAgainAndMended) {
  CompileOptions options;
  options.cache = folder_.file("cache");
  const Artifact first = *compile(tests::only_relu(), options);
  EXPECT_EQ(first.kernels_compiled, static_cast<int64_t>(first.kernels.size()));
  const std::string path = folder_.file("cache/" + first.kernels[0].symbol + ".hko");
  fs::resize_file(path, fs::file_size(path) / 2);
  const Artifact second = *compile(tests::only_relu(), options);
  EXPECT_EQ(second.kernels_compiled, 1);
  EXPECT_TRUE(second.kernels[0].object == first.kernels[0].object);
  EXPECT_EQ((*compile(tests::only_relu(), options)).kernels_compiled, 0);
}

TEST_F(ObjectCacheTest, ProcessesThatWriteOneEntryAtOnceNeverShowAHalf) {
  cache_.store(kernel_);
  constexpr int kWriters = 4;
  std::vector<pid_t> writers;
  for (int i = 0; i < kWriters; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      bool good = true;
      for (int k = 0; k < 20; ++k) {
        cache_.store(kernel_);
        good = good && cache_.find(kernel_.symbol).has_value();
      }
      ::_exit(good ? 0 : 1);
    }
    writers.push_back(child);
  }
  for (const pid_t writer : writers) {
    int status = -1;
    ASSERT_EQ(::waitpid(writer, &status, 0), writer);
    EXPECT_EQ(status, 0);
  }
  EXPECT_TRUE(cache_.find(kernel_.symbol));
  int64_t files = 0;
  for (const auto& file : fs::directory_iterator(folder_.file("cache"))) {
    files += file.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(files, 1) << "temporary files are left";
}

TEST(ObjectCacheFolder, FollowsTheEnvironment) {
  const auto with = [](const char* cache, const char* xdg, const char* home) {
    const std::pair<const char*, const char*> variables[] = {
        {"HALCYON_CACHE", cache}, {"XDG_CACHE_HOME", xdg}, {"HOME", home}};
    for (const auto& [name, value] : variables) {
      if (value == nullptr) {
        ::unsetenv(name);
      } else {
        ::setenv(name, value, 1);
      }
    }
    return ObjectCache::default_folder().string();
  };
  EXPECT_EQ(with("/a", "/b", "/c"), "/a");
  EXPECT_EQ(with(nullptr, "/b", "/c"), "/b/halcyon");
  EXPECT_EQ(with(nullptr, nullptr, "/c"), "/c/.cache/halcyon");
  EXPECT_EQ(with(nullptr, nullptr, nullptr), "");
  EXPECT_EQ(with("", "/b", "/c"), "");
  EXPECT_EQ(with(nullptr, "", "/c"), "/c/.cache/halcyon");
  EXPECT_EQ(with(nullptr, "b", "/c"), "/c/.cache/halcyon");
  EXPECT_EQ(with(nullptr, nullptr, ""), "");
}

}  // namespace
}  // namespace halcyon::compiler
