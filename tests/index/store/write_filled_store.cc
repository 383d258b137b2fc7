// write_filled_store DIRECTORY: writes the store of which a copy is committed for each earlier
// format, in this program's format, and tells on standard output what is in it. A change of the
// format begins with it: build this before the change, run it, and commit the files of the
// directory as tests/index/store/format_N, but for RESERVE, LOCK, IDENTITY and OPTIONS-*, and what
// it tells as format_N.txt.

#include <cstdio>
#include <string>

#include "face/base/log.h"
#include "tests/index/store/filled_gallery.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  facegate::SetLogLevel(facegate::LogLevel::kWarning);
  facegate::CountingClock clock;
  facegate::FillGallery(*facegate::OpenOrDie(argv[1], clock));
  const std::string text = facegate::DescribeGallery(*facegate::OpenOrDie(argv[1], clock));
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}
