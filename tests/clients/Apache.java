// java -cp … Apache.java URL TOKEN SOURCE_ID [HOW]: Apache's HttpClient 4.5, as Debian has it, and its MultipartEntityBuilder.
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.client.methods.HttpPost;
import org.apache.http.entity.ContentType;
import org.apache.http.entity.mime.HttpMultipartMode;
import org.apache.http.entity.mime.MultipartEntityBuilder;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;

class Apache {
    public static void main(String[] arguments) throws Exception {
        String how = arguments.length > 3 ? arguments[3] : "";
        String metadata = "{\"sourceId\": \"" + arguments[2] + "\", \"fields\": [{\"name\": \"remark\", \"value\": \"sent by Apache\"}]}";
        byte[] scan = Files.readAllBytes(Path.of("fax.tif"));
        MultipartEntityBuilder form = MultipartEntityBuilder.create();
        if (how.equals("rfc6532")) {
            form.setMode(HttpMultipartMode.RFC6532).setCharset(StandardCharsets.UTF_8);
            form.addBinaryBody("file", scan, ContentType.create("image/tiff"), "Überweisung.tif");
            form.addTextBody("metadata", metadata, ContentType.APPLICATION_JSON);
        } else if (how.equals("stream")) {
            form.addBinaryBody("file", new ByteArrayInputStream(scan));
            form.addTextBody("metadata", metadata);
        } else {
            form.addBinaryBody("file", Path.of("fax.tif").toFile());
            form.addTextBody("metadata", metadata);
        }
        HttpPost post = new HttpPost(arguments[0]);
        post.setHeader("Authorization", "Bearer " + arguments[1]);
        post.setConfig(RequestConfig.custom().setExpectContinueEnabled(how.equals("expect")).build());
        post.setEntity(form.build());
        try (var client = HttpClients.createMinimal()) {
            var answer = client.execute(post);
            System.out.println(answer.getStatusLine().getStatusCode() + " " + EntityUtils.toString(answer.getEntity()));
        }
    }
}
