#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <string>
#include <utility>

#include "clients/cli/ask.h"
#include "clients/cli/command.h"
#include "clients/cli/photo.h"
#include "clients/cli/private_file.h"
#include "clients/cli/quality_text.h"
#include "clients/cli/report.h"
#include "clients/cli/unicode_text.h"
#include "face/base/coding.h"
#include "face/base/npy_header.h"

namespace facegate::cli {
namespace {

constexpr char kEmbedFooter[] =
    "An embedding is personal data: treat it like the photo. Files are made for their owner "
    "alone.\n"
    "\n"
    "Examples:\n"
    "  facegate embed face.jpg -o face.npy          NumPy, format 1.0, float32\n"
    "  facegate embed face.jpg -o face.json         with the digests of its model\n"
    "  facegate --json embed --crop aligned.png";

class EmbedCommand : public Command {
 public:
  explicit EmbedCommand(CLI::App& embed) : Command(embed) {
    embed.footer(kEmbedFooter);
    embed.add_option("PHOTO", photo_, "The photo")->required();
    embed
        .add_option("-o,--out,--output", output_, "Where the embedding goes: FILE.npy or FILE.json")
        ->check([](const std::string& path) {
          return path.ends_with(".npy") || path.ends_with(".json")
                     ? std::string()
                     : "the name must end in .npy or .json: " + path;
        })
        ->type_name("FILE");
    AddPhotoOptions(embed, photo_options_, AllowAll::kNo);
  }

  ExitCode Run(Session& session) override;

 private:
  std::string photo_;
  std::string output_;
  PhotoOptions photo_options_;
};

std::string NpyBytes(const v1::TaggedEmbedding& embedding) {
  std::string bytes = NpyHeader({static_cast<size_t>(embedding.values_size())});
  for (const float value : embedding.values()) {
    AppendLittleEndian(bytes, std::bit_cast<uint32_t>(value));
  }
  return bytes;
}

ExitCode EmbedCommand::Run(Session& session) {
  auto probe = ReadProbe(photo_, photo_options_);
  if (!probe.ok()) return Fail(session, photo_, probe.error());
  v1::EmbedRequest request;
  *request.mutable_probe() = std::move(probe).value();
  const auto answer = Ask(session, &FacegateClient::Embed, request);
  if (!answer.ok()) return Fail(session, photo_, answer.error());
  const v1::TaggedEmbedding& embedding = answer->embedding();
  if (!output_.empty()) {
    const std::string bytes =
        output_.ends_with(".npy") ? NpyBytes(embedding) : ToJson(embedding).dump(2) + "\n";
    if (const auto failure = WritePrivateFile(output_, bytes); failure.has_value()) {
      return Fail(session, output_, LocalError("cannot be written: " + *failure));
    }
  }
  if (session.json) {
    PrintJson(session, ToJson(*answer));
    return ExitCode::kOk;
  }
  session.out << fmt::format("{} values{}\nmodel digest          {}\npreprocessing digest  {}\n",
                             embedding.values_size(),
                             output_.empty() ? " (write them with -o)" : " in " + output_,
                             embedding.model_digest(), embedding.preprocessing_digest());
  if (answer->has_face()) {
    session.out << "face                  " << DescribeFace(answer->face()) << "\n";
    if (answer->face().quality().shortcomings().empty()) return ExitCode::kOk;
    for (const std::string& line : ShortcomingLines(photo_, answer->face())) {
      session.out << Printable(line) << "\n";
    }
  }
  return ExitCode::kOk;
}

}  // namespace

void AddEmbed(CLI::App& app, Commands& commands) {
  commands.push_back(std::make_unique<EmbedCommand>(
      *app.add_subcommand("embed", "The embedding of the face in a photo")));
}

}  // namespace facegate::cli
