// The readers of text: lists of photos, lists of pairs, and the lists of IJB-B and IJB-C. The first
// byte says which. Any bytes are read, within what is known of the values, or refused. No photo
// that a list names is there.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "face/base/check.h"
#include "tests/fuzz/fuzz_input.h"
#include "trainer/photos/image_list.h"
#include "trainer/photos/pair_file.h"
#include "trainer/photos/template_lists.h"

namespace facegate {
namespace {

// A file in memory.
class TextFile {
 public:
  TextFile() : file_(::memfd_create("list", MFD_CLOEXEC)) { FACEGATE_CHECK(file_ >= 0); }
  ~TextFile() { ::close(file_); }
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;

  std::string Holding(std::string_view text) const {
    FACEGATE_CHECK(::ftruncate(file_, 0) == 0);
    FACEGATE_CHECK(::pwrite(file_, text.data(), text.size(), 0) ==
                   static_cast<ssize_t>(text.size()));
    return "/proc/self/fd/" + std::to_string(file_);
  }

 private:
  const int file_;
};

void CheckRefusal(const Status& status) {
  FACEGATE_CHECK(status.ok() || status.code() == StatusCode::kInvalidArgument);
}

void RunPhotos(const std::string& path) {
  const StatusOr<ImageList> list = ReadImageList(path, "/nonexistent");
  CheckRefusal(list.status());
  if (!list.ok()) return;
  for (const LabelledImage& image : list->images) {
    FACEGATE_CHECK(image.label < list->classes.size());
  }
}

void RunPairs(const std::string& path) {
  const StatusOr<PairList> list = ReadPairList(path);
  CheckRefusal(list.status());
  if (!list.ok()) return;
  FACEGATE_CHECK(list->folds >= 1 && list->folds <= std::max<size_t>(2, list->pairs.size()));
}

void RunTemplates(const std::string& path, size_t bytes) {
  const StatusOr<std::vector<TemplateSubject>> subjects = ReadTemplateSubjects(path);
  CheckRefusal(subjects.status());
  if (subjects.ok()) FACEGATE_CHECK(subjects->size() <= bytes);
  size_t pairs = 0;
  CheckRefusal(ForEachTemplatePairs(path, [&pairs](std::span<const TemplatePair> some) {
    pairs += some.size();
    return OkStatus();
  }));
  FACEGATE_CHECK(pairs <= bytes);
}

void RunFaces(std::string_view text) {
  static const TextFile marks_file;
  static const TextFile media_file;
  const size_t split = text.find('\0');
  if (split == std::string_view::npos) return;
  const StatusOr<std::vector<TemplateFace>> faces = ReadTemplateFaces(
      media_file.Holding(text.substr(0, split)), marks_file.Holding(text.substr(split + 1)));
  CheckRefusal(faces.status());
  if (!faces.ok()) return;
  for (const TemplateFace& face : *faces) FACEGATE_CHECK(face.detection >= 0.0F);
}

void Run(std::string_view input) {
  if (input.empty()) return;
  const std::string_view text = input.substr(1);
  static const TextFile file;
  switch (input.front()) {
    case 'i':
      return RunPhotos(file.Holding(text));
    case 'p':
      return RunPairs(file.Holding(text));
    case 't':
      return RunTemplates(file.Holding(text), text.size());
    default:
      return RunFaces(text);
  }
}

}  // namespace
}  // namespace facegate

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  facegate::Run(facegate::AsText(data, size));
  return 0;
}
