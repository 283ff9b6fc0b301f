// java Deliver.java URL TOKEN SOURCE_ID [HOW]: the JDK's HttpClient, which leaves the form to its user.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

class Deliver {
    public static void main(String[] arguments) throws Exception {
        String how = arguments.length > 3 ? arguments[3] : "";
        String boundary = "----=_Part_5_1834.1764";
        String metadata = "{\"sourceId\": \"" + arguments[2] + "\", \"fields\": [{\"name\": \"remark\", \"value\": \"sent by Java\"}]}";
        List<byte[]> pieces = List.of(
            text("--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"fax.tif\"\r\n"
                + "Content-Type: image/tiff\r\n\r\n"),
            Files.readAllBytes(Path.of("fax.tif")),
            text("\r\n--" + boundary + "\r\nContent-Disposition: form-data; name=\"metadata\"\r\n"
                + "Content-Type: application/json\r\n\r\n" + metadata + "\r\n--" + boundary + "--\r\n"));
        int length = pieces.stream().mapToInt(piece -> piece.length).sum();
        byte[] whole = new byte[length];
        int at = 0;
        for (byte[] piece : pieces) {
            System.arraycopy(piece, 0, whole, at, piece.length);
            at += piece.length;
        }
        HttpRequest request = HttpRequest.newBuilder(URI.create(arguments[0]))
            .version(HttpClient.Version.HTTP_1_1)
            .header("Authorization", "Bearer " + arguments[1])
            .header("Content-Type", "multipart/form-data; boundary=\"" + boundary + "\"")
            .expectContinue(how.equals("expect"))
            .POST(how.equals("chunked") ? BodyPublishers.ofByteArrays(pieces) : BodyPublishers.ofByteArray(whole))
            .build();
        var answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
        System.out.println(answer.statusCode() + " " + answer.body());
    }

    private static byte[] text(String written) {
        return written.getBytes(StandardCharsets.UTF_8);
    }
}
