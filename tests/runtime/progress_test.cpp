#include "runtime/progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>

#include "tests/runtime/count_allocations.h"

namespace halcyon::runtime {
namespace {

/// A stream in memory that can be read back.
class Stream {
 public:
  Stream() : file_(open_memstream(&text_, &size_)) {}
  ~Stream() {
    std::fclose(file_);
    std::free(text_);
  }
  std::FILE* file() { return file_; }
  std::string text() {
    std::fflush(file_);
    return {text_, size_};
  }

 private:
  char* text_ = nullptr;
  size_t size_ = 0;
  std::FILE* file_;
};

TEST(Progress, WritesPlainLinesWhereThereIsNoTerminal) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), std::fclose);
  ASSERT_TRUE(file);
  EXPECT_EQ(Progress(file.get()).mode(), Progress::Mode::kLines);

  Stream stream;
  Progress progress(stream.file(), Progress::Mode::kLines);
  progress.begin("epoch 1/2", 100);
  for (int64_t i = 1; i <= 100; ++i) progress.update(i, "loss 0.5");
  progress.finish("epoch 1/2  loss 0.5");
  progress.line("done");
  EXPECT_EQ(stream.text(), "epoch 1/2  loss 0.5\ndone\n");
}

TEST(Progress, DrawsABarOnATerminalAndRemovesIt) {
  Stream stream;
  Progress progress(stream.file(), Progress::Mode::kBar, 80);
  progress.begin("epoch 1/2", 100);
  progress.update(100, "loss 0.5");
  const std::string drawn = stream.text();
  EXPECT_NE(drawn.find("\repoch 1/2 "), std::string::npos) << drawn;
  EXPECT_NE(drawn.find(" 100%"), std::string::npos) << drawn;
  EXPECT_NE(drawn.find("loss 0.5"), std::string::npos) << drawn;
  EXPECT_EQ(drawn.find('\n'), std::string::npos) << drawn;
  progress.finish("epoch 1/2 done");
  EXPECT_EQ(stream.text().substr(drawn.size()), "\r\033[Kepoch 1/2 done\n");
}

TEST(Progress, RedrawsAtMostTwentyTimesASecond) {
  Stream stream;
  Progress progress(stream.file(), Progress::Mode::kBar, 80);
  progress.begin("quick", 1'000'000);
  for (int64_t i = 1; i < 10'000; ++i) progress.update(i);
  EXPECT_LT(stream.text().size(), 100 * 200u);
}

TEST(Progress, KeepsTheBarInsideTheLine) {
  for (const int columns : {1, 20, 40, 60, 80, 300}) {
    Stream stream;
    Progress progress(stream.file(), Progress::Mode::kBar, columns);
    progress.begin("epoch 1/2", 10);
    progress.update(10, "a note that is rather long for a small terminal");
    std::string shown;  // without what moves the cursor or sets a colour
    const std::string text = stream.text();
    for (size_t i = text.rfind('\r') + 1; i < text.size(); ++i) {
      if (text[i] == '\033') {
        i = text.find_first_of("mK", i);
      } else if ((text[i] & 0xC0) != 0x80) {
        shown += text[i];
      }
    }
    EXPECT_LT(shown.size(), static_cast<size_t>(std::max(columns, 28))) << columns << ": " << shown;
  }
}

TEST(Progress, SaysNothingWhenSilent) {
  Stream stream;
  {
    Progress progress(stream.file(), Progress::Mode::kSilent);
    progress.begin("epoch", 10);
    progress.update(5);
    progress.finish("text");
    progress.line("text");
  }
  EXPECT_EQ(stream.text(), "");
}

TEST(Progress, SurvivesWorkOfNoParts) {
  Stream stream;
  Progress progress(stream.file(), Progress::Mode::kBar, 80);
  progress.begin("nothing", 0);
  progress.update(0);
  progress.update(7, "more than all");
  progress.finish();
  EXPECT_NE(stream.text().find("100%"), std::string::npos);
}

TEST(Progress, UpdatesWithoutAllocating) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/dev/null", "w"),
                                                             std::fclose);
  ASSERT_TRUE(file);
  Progress progress(file.get(), Progress::Mode::kBar, 80);
  progress.begin("epoch", 2);
  const int64_t before = tests::allocation_count();
  for (int i = 0; i < 50; ++i) progress.update(2, "loss 0.123");
  EXPECT_EQ(tests::allocation_count(), before);
}

TEST(DurationText, ShowsHoursOnlyWhenThereAreSome) {
  EXPECT_EQ(duration_text(0), "0:00");
  EXPECT_EQ(duration_text(7.4), "0:07");
  EXPECT_EQ(duration_text(725), "12:05");
  EXPECT_EQ(duration_text(3 * 3600 + 2 * 60 + 11), "3:02:11");
  EXPECT_EQ(duration_text(-1), "0:00");
  EXPECT_EQ(duration_text(std::numeric_limits<double>::infinity()), "0:00");
}

}  // namespace
}  // namespace halcyon::runtime
