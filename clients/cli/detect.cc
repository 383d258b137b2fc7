#include <fmt/format.h>

#include <utility>

#include "clients/cli/ask.h"
#include "clients/cli/command.h"
#include "clients/cli/drawing.h"
#include "clients/cli/photo.h"
#include "clients/cli/quality_text.h"
#include "clients/cli/report.h"
#include "clients/cli/table.h"
#include "clients/cli/unicode_text.h"
#include "face/base/counted.h"

namespace facegate::cli {
namespace {

constexpr char kDetectFooter[] =
    "Pixels are those of the upright picture. WORST is what the face's quality, 0 to 1, is lowest "
    "for;\nbelow the table stands what keeps a face from being compared. Exit code 1 when there is "
    "no face.\n"
    "\n"
    "Examples:\n"
    "  facegate detect group.jpg\n"
    "  facegate detect --draw faces.png group.jpg\n"
    "  facegate --json detect --select largest group.jpg";

class DetectCommand : public Command {
 public:
  explicit DetectCommand(CLI::App& detect) : Command(detect) {
    detect.footer(kDetectFooter);
    detect.add_option("PHOTO", photo_, "The photo")->required();
    detect
        .add_option("-o,--draw,--out", draw_,
                    "Write the photo with the faces drawn in: FILE.png, .jpg or another image "
                    "format")
        ->type_name("FILE");
    detect.add_option("--select", select_, "Only one face; all by default")
        ->check(CLI::IsMember({"single", "largest", "central", "all"}));
  }

  ExitCode Run(Session& session) override;

 private:
  std::string photo_;
  std::string draw_;
  std::string select_;
};

std::string DescribeLandmarks(const v1::Face& face) {
  std::string text;
  for (const v1::Point& point : face.landmarks()) {
    text += fmt::format("{}{:.0f},{:.0f}", text.empty() ? "" : " ", point.x(), point.y());
  }
  return text.empty() ? "-" : text;
}

void PrintFaces(Session& session, const v1::DetectResponse& answer) {
  Table table({{"SCORE", Table::Align::kRight},
               {"X", Table::Align::kRight},
               {"Y", Table::Align::kRight},
               {"WIDTH", Table::Align::kRight},
               {"HEIGHT", Table::Align::kRight},
               {"QUALITY", Table::Align::kRight},
               WrappedColumn("WORST"),
               OptionalColumn("LANDMARKS")});
  for (const v1::Face& face : answer.faces()) {
    table.AddRow({fmt::format("{:.3f}", face.score()), fmt::format("{:.1f}", face.box().x()),
                  fmt::format("{:.1f}", face.box().y()), fmt::format("{:.1f}", face.box().width()),
                  fmt::format("{:.1f}", face.box().height()),
                  face.has_quality() ? FormatQuality(face.quality().score()) : "-",
                  DescribeWorstComponent(face), DescribeLandmarks(face)});
  }
  table.Print(session.out, session.terminal.columns);
  for (int i = 0; i < answer.faces_size(); ++i) {
    if (answer.faces(i).quality().shortcomings().empty()) continue;
    for (const std::string& line :
         ShortcomingLines(fmt::format("face {}", i + 1), answer.faces(i))) {
      session.out << Printable(line) << "\n";
    }
  }
  session.out << fmt::format("{} in {}x{} pixels, found by {}\n",
                             Counted(static_cast<size_t>(answer.faces_size()), "face"),
                             answer.image_width(), answer.image_height(), answer.detector());
}

ExitCode DetectCommand::Run(Session& session) {
  if (!draw_.empty()) {
    if (const auto wrong = WrongWithPicture(draw_, {&photo_, 1}); wrong.has_value()) {
      return Fail(session, draw_, *wrong);
    }
  }
  auto bytes = ReadPhoto(photo_);
  if (!bytes.ok()) return Fail(session, photo_, bytes.error());
  v1::DetectRequest request;
  request.set_image(*bytes);
  request.set_face_selection(SelectionOf(select_));
  const auto answer = Ask(session, &FacegateClient::Detect, request);
  if (!answer.ok()) return Fail(session, photo_, answer.error());
  if (!draw_.empty()) {
    const auto drawn = DrawFaces(*bytes, *answer, draw_);
    if (!drawn.ok()) return Fail(session, photo_, drawn.error());
  }
  if (session.json) {
    PrintJson(session, ToJson(*answer));
  } else {
    PrintFaces(session, *answer);
  }
  return answer->faces().empty() ? ExitCode::kNoMatch : ExitCode::kOk;
}

}  // namespace

void AddDetect(CLI::App& app, Commands& commands) {
  commands.push_back(std::make_unique<DetectCommand>(
      *app.add_subcommand("detect", "The faces in a photo: boxes, landmarks, quality")));
}

}  // namespace facegate::cli
